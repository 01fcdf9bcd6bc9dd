"""Probabilistic knowledge transfer."""

from __future__ import annotations

from torch import Tensor

from sakd.data import Batch
from sakd.distillers.base import Distiller
from sakd.networks.spots import SpotFamily

EPSILON = 1e-7


class ProbabilisticTransfer(Distiller):
    """Match how likely the samples of the batch are to be neighbours; batch-dependent.

    Passalis & Tefas, ECCV 2018, arXiv:1803.10837.
    Loss over n chosen samples: mean_{n^2} P_t log(P_t / P_s), where each row of P is the cosine
    similarity, moved to [0, 1], over its sum. 1e-7 is added to norms, and within the logarithm.
    Differs from the SAKD reference: a sample of zeros has no gradient, not one that is NaN.
    """

    family = SpotFamily.EMBEDDING
    weight = 30000.0

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are embeddings (B, C)."""
        p_s, p_t = neighbourhood(student, chosen), neighbourhood(teacher, chosen)
        divergence = p_t * ((p_t + EPSILON) / (p_s + EPSILON)).log()
        return divergence.sum() / (chosen.sum().clamp(min=1) * chosen.numel())


def neighbourhood(embedding: Tensor, chosen: Tensor) -> Tensor:
    """Chance (B, B) of sample j beside sample i, among the chosen; other entries are zero."""
    mask = chosen.to(embedding.dtype)
    embedding = embedding * mask[:, None]
    norm = embedding.square().sum(dim=1, keepdim=True).clamp(min=1e-24).sqrt()
    unit = embedding / (norm + EPSILON)
    similarity = (unit @ unit.T + 1) / 2 * mask[:, None] * mask
    return similarity / similarity.sum(dim=1, keepdim=True).clamp(min=EPSILON)
