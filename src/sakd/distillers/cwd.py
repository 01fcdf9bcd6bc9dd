"""Channel-wise distillation."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import log_softmax

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair, Shape, mean_over_batch
from sakd.distillers.parts.logits import divergence
from sakd.distillers.parts.maps import pool_to_smaller, projection
from sakd.foundation.errors import require, require_positive
from sakd.networks.spots import SpotFamily


class ChannelDivergence(Distiller):
    """Match where each channel is active: its map as a distribution over the positions.

    Shu et al., ICCV 2021, arXiv:2011.13256.
    Loss: T^2 / C * mean_b sum_c KL(p_t || p_s), p = softmax(F[c] / T) over the positions of
    channel c. Where channels differ, a 1x1 convolution maps the student's to the teacher's.
    With ``spatial``, each position has a distribution over the channels instead, and the loss is
    divided by the number of positions: an option of the authors' code, and for maps of logits the
    pixel-wise distillation of Liu et al., CVPR 2019. No weight is known for it on features.
    The paper is about maps of logits, with weight 3 and T = 4 in the authors' code; T = 1 and
    weight 50 for features are as commonly described, not checked against the authors' code.
    Differs from the authors' code: maps of unequal size are averaged to the smaller.
    """

    family = SpotFamily.EVERY_STAGE
    weight = 50.0
    weighs = True

    def __init__(self, pair: Pair, *, temperature: float = 1.0, spatial: bool = False) -> None:
        """Make the convolutions.

        Args:
            pair: The networks and the data.
            temperature: T.
            spatial: Whether to match the channels of each position, not the positions of each
                channel.

        Raises:
            UserError: The temperature is not positive, or all maps have a single position.
        """
        super().__init__(pair)
        require_positive(temperature=temperature)
        shapes = list(zip(pair.student_shapes, pair.teacher_shapes, strict=True))
        require(
            spatial or any(_positions(student, teacher) > 1 for student, teacher in shapes),
            f"{type(self).__name__} compares positions, but the maps {shapes} have one each: take "
            "larger images, or a distiller of the embedding or the logits",
        )
        self.temperature = temperature
        self.spatial = spatial
        self.projections = nn.ModuleList(projection(s[0], t[0]) for s, t in shapes)

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are maps (B, C, H, W) of any channels and sizes."""
        student, teacher = pool_to_smaller(student, teacher)
        maps = self.projections[spot](student), teacher
        channels = (x.flatten(2) / self.temperature for x in maps)
        rows = (x.mT.flatten(0, 1) if self.spatial else x.flatten(0, 1) for x in channels)
        error = divergence(*(log_softmax(x, dim=1) for x in rows))
        per_sample = error.view(len(teacher), -1).mean(dim=1)
        return self.temperature**2 * mean_over_batch(per_sample, chosen)


def _positions(student: Shape, teacher: Shape) -> int:
    """Count the positions of two maps (C, H, W), the larger averaged to the smaller."""
    height, width = (min(sides) for sides in zip(student[1:], teacher[1:], strict=True))
    return height * width
