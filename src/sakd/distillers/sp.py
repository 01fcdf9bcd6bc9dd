"""Similarity-preserving distillation."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import normalize

from sakd.data import Batch
from sakd.distillers.base import Distiller
from sakd.networks.spots import SpotFamily


class SimilarityPreserving(Distiller):
    """Match the similarities between the samples of the batch.

    Tung & Mori, ICCV 2019, arXiv:1907.09682. The loss of a sample depends on the others.
    Loss over n chosen samples: || G_s - G_t ||_F^2 / n^2, G = F F' with rows of unit length.
    """

    family = SpotFamily.LAST_MAP
    weight = 3000.0
    any_shape = True

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features (B, ...) have any shape, and are flattened."""
        error = (similarity(student, chosen) - similarity(teacher, chosen)).square().sum()
        return error / (chosen.sum().clamp(min=1) * chosen.numel())


def similarity(features: Tensor, chosen: Tensor) -> Tensor:
    """Compute G (B, B) among the chosen of ``features`` (B, ...); other entries are zero."""
    flat = features.flatten(1) * chosen.to(features.dtype)[:, None]
    return normalize(flat @ flat.T)
