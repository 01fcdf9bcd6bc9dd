"""Similarity-preserving distillation."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import normalize

from sakd.data import Batch
from sakd.distillers.base import Distiller
from sakd.networks.spots import SpotFamily


class SimilarityPreserving(Distiller):
    """Match which samples of the batch look alike. The value depends on who else is chosen.

    Tung & Mori, ICCV 2019, arXiv:1907.09682.
    Loss over n chosen samples: || G_s - G_t ||_F^2 / n^2, G = F F' with rows of unit length.
    """

    family = SpotFamily.LAST_MAP
    weight = 3000.0
    any_shape = True

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features of any shape, flattened."""
        error = (similarity(student, chosen) - similarity(teacher, chosen)).square().sum()
        return error / (chosen.sum().clamp(min=1) * chosen.numel())


def similarity(features: Tensor, chosen: Tensor) -> Tensor:
    """Row-normalised Gram matrix (B, B) among the chosen; other rows and columns are zero."""
    flat = features.flatten(1) * chosen.to(features.dtype)[:, None]
    return normalize(flat @ flat.T)
