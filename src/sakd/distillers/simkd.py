"""Distillation with the teacher's classifier reused."""

from __future__ import annotations

from torch import Tensor

from sakd.data import Batch
from sakd.distillers.base import Distiller, mean_over_batch
from sakd.distillers.parts.maps import pool_to_smaller, sample_means, squared
from sakd.networks.rebuilt import REUSED
from sakd.networks.spots import SpotFamily


class SimKD(Distiller):
    """Match the teacher's last map, so that its classifier can be reused.

    Chen et al., CVPR 2022, arXiv:2203.14001.
    Loss: mean_b || P(F_s) - F_t ||^2 / (C H W) on the last maps, the larger averaged to the size of
    the smaller. The student that is trained, evaluated and kept has the projector P and a frozen
    copy of the teacher's classifier in place of its own head, see
    `sakd.networks.rebuilt.ReusedClassifier`. As in the paper, there is neither cross-entropy nor
    KD.
    """

    family = SpotFamily.LAST_MAP
    weighs = True
    stands_alone = True
    rebuilding = REUSED

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are maps (B, C, H, W), the student's projected."""
        student, teacher = pool_to_smaller(student, teacher)
        error = sample_means(squared(student - teacher))
        return mean_over_batch(error, chosen)
