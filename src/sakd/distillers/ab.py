"""Activation boundaries."""

from __future__ import annotations

from torch import Tensor, nn

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair, Shape, Side, mean_over_batch
from sakd.distillers.parts.maps import pool_to_smaller, sample_sums, squared
from sakd.foundation.errors import require_not_negative
from sakd.networks.adapters import Adapter
from sakd.networks.spots import SpotFamily
from sakd.networks.zoo.blocks import conv_bn


class ActivationBoundaries(Distiller):
    """Put every neuron of the student on its teacher's side of zero, by a margin.

    Heo et al., AAAI 2019, arXiv:1811.03233, the alternative loss with connector.
    Loss of stage i of n: 3/1000 * 2^(i-n) * mean_b sum over elements of (s + m)^2 where t <= 0
    and s > -m, and of (s - m)^2 where t > 0 and s <= m; s and t are responses before the
    rectifier, m = 1 the margin. Where channels differ, a 1x1 convolution and batch norm (the
    paper's connector) map s to the teacher's; the batch norm sees the full batch.
    Differs from the paper: the student learns this together with its task, not before it; maps of
    unequal size are averaged to the smaller. There is no published weight for that: the 1 in the
    scripts of RepDistiller (Tian et al., ICLR 2020) multiplies a zero, as that code also minimises
    this loss alone and beforehand. It is kept as the default.
    """

    family = SpotFamily.EVERY_STAGE
    weighs = True
    unrectified = Side.BOTH

    def __init__(self, pair: Pair, *, margin: float = 1.0) -> None:
        """Make the connectors.

        Args:
            pair: The networks and the data.
            margin: m, the distance from zero that is enough.

        Raises:
            UserError: The margin is negative.
        """
        super().__init__(pair)
        require_not_negative(margin=margin)
        self.margin = margin
        shapes = zip(pair.student_shapes, pair.teacher_shapes, strict=True)
        self.connectors = nn.ModuleList(connector(student, teacher) for student, teacher in shapes)

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are maps (B, C, H, W) of any channels and sizes."""
        student, teacher = pool_to_smaller(self.connectors[spot](student), teacher)
        wanted = (teacher > 0).to(student.dtype) * 2 - 1
        missing = (self.margin - wanted * student).clamp(min=0)
        weight = 0.003 * 2.0 ** (spot + 1 - len(self.pair.spots))
        return weight * mean_over_batch(sample_sums(squared(missing)), chosen)


def connector(student: Shape, teacher: Shape) -> nn.Module:
    """Map the channels of ``student`` (C, H, W) to those of ``teacher``, if they differ."""
    if student[0] == teacher[0]:
        return nn.Identity()
    return Adapter(*conv_bn(student[0], teacher[0]))
