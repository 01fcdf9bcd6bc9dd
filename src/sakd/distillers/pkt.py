"""Probabilistic knowledge transfer."""

from __future__ import annotations

from torch import Tensor

from sakd.data import Batch
from sakd.distillers.base import Distiller
from sakd.networks.spots import SpotFamily

EPSILON = 1e-7


class ProbabilisticTransfer(Distiller):
    """Match the probabilities that two samples of the batch are neighbours.

    Passalis & Tefas, ECCV 2018, arXiv:1803.10837. The loss of a sample depends on the others.
    Loss over n chosen samples: mean_{n^2} P_t log(P_t / P_s), where each row of P holds cosine
    similarities, shifted to [0, 1] and divided by their sum. 1e-7 is added to norms and to both
    sides of the fraction.
    Differs from the SAKD reference: the gradient of a sample of zeros is 0 instead of NaN.
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
    """Compute P (B, B) among the chosen of ``embedding`` (B, C); other entries are zero."""
    mask = chosen.to(embedding.dtype)
    embedding = embedding * mask[:, None]
    norm = embedding.square().sum(dim=1, keepdim=True).clamp(min=1e-24).sqrt()
    unit = embedding / (norm + EPSILON)
    similarity = (unit @ unit.T + 1) / 2 * mask[:, None] * mask
    return similarity / similarity.sum(dim=1, keepdim=True).clamp(min=EPSILON)
