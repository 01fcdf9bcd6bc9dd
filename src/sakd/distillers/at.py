"""Attention transfer."""

from __future__ import annotations

from torch import Tensor

from sakd.data import Batch
from sakd.distillers.base import Distiller, mean_over_batch
from sakd.distillers.parts.maps import attention, pool_to_smaller
from sakd.networks.spots import SpotFamily


class AttentionTransfer(Distiller):
    """Match attention maps: normalised maps of squared activations.

    Zagoruyko & Komodakis, ICLR 2017, arXiv:1612.03928, with p = 2.
    Loss: mean_b || q(F_s) - q(F_t) ||^2 / HW, q(F) = vec(mean_c F_c^2) / its norm.
    Differs from the paper: a mean over positions, as in the SAKD reference.
    """

    family = SpotFamily.EVERY_STAGE
    weighs = True
    weight = 1000.0
    gamma = 2.0

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are maps (B, C, H, W) of any channels and sizes."""
        student, teacher = pool_to_smaller(student, teacher)
        error = (attention(student) - attention(teacher)).square().mean(dim=1)
        return mean_over_batch(error, chosen)
