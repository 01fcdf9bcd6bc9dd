"""The overhaul of feature distillation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair, Side, mean_over_batch
from sakd.distillers.parts.maps import pool_to_smaller
from sakd.distillers.parts.margins import NegativeMean, shortfalls
from sakd.networks.adapters import Adapter
from sakd.networks.spots import SpotFamily
from sakd.networks.zoo.blocks import conv_bn, initialise


class FeatureOverhaul(Distiller):
    """Regress the teacher's responses before the rectifier, down to a margin.

    Heo et al., ICCV 2019, arXiv:1904.01866.
    Loss of stage i of n: 2^(i-n) * mean_b sum over elements of (r(s) - u)^2, omitted where
    r(s) <= u <= 0; u = max(t, m_c), m_c the mean of the teacher's negative responses in channel c,
    r a 1x1 convolution and batch norm; s and t are responses before the rectifier. Regressors and
    margins see the full batch, whoever is chosen. The weight of 1/1000 is that of the authors'
    code for CIFAR-100, where the sum over the batch is divided by its size.
    Differs from the authors' code: m_c is the mean of all responses seen in training so far, which
    the paper allows, and not derived from batch norms; maps of unequal size are averaged to the
    smaller; KD is added, as to every distiller of features here.
    """

    family = SpotFamily.EVERY_STAGE
    weighs = True
    weight = 1e-3
    unrectified = Side.BOTH

    def __init__(self, pair: Pair) -> None:
        """Make a regressor and a margin for every spot.

        Args:
            pair: The networks and the data.
        """
        super().__init__(pair)
        shapes = list(zip(pair.student_shapes, pair.teacher_shapes, strict=True))
        self.regressors = nn.ModuleList(Adapter(*conv_bn(s[0], t[0])) for s, t in shapes)
        self.margins = nn.ModuleList(NegativeMean(t[0]) for _, t in shapes)
        initialise(self.regressors)

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are maps (B, C, H, W) of any channels and sizes."""
        student, teacher = pool_to_smaller(self.regressors[spot](student), teacher)
        wanted = torch.maximum(teacher, self.margins[spot](teacher))
        weight = 2.0 ** (spot + 1 - len(self.pair.spots))
        return weight * mean_over_batch(shortfalls(student, wanted), chosen)
