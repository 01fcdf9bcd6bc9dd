"""Complementary relation contrastive distillation."""

from __future__ import annotations

from torch import Tensor

from sakd.distillers.base import Pair
from sakd.distillers.crd import ContrastiveRepresentation
from sakd.distillers.parts.relations import RelationBank


class ComplementaryRelations(ContrastiveRepresentation):
    """Tell the other network's relations between two images from those to images of other classes.

    Zhu et al., CVPR 2021, arXiv:2103.16367. As `ContrastiveRepresentation`, with relations in the
    place of embeddings: the loss of a sample depends on the others.
    Loss, summed over both networks: -mean_{b, a} [ log h(0) + sum_{k = 1..K} log(1 - h(k)) ],
    h(k) = p / (p + K / N), p = exp(<v_b - u_a, u_k - u_a> / T) / Z, both differences scaled to
    length 1. v_b is one network's embedding of image b, u_a and u_k rows of the other's bank; a and
    b run over the batch. Banks start at unit length. Memory grows with B^2 K.
    The first author has KD with weight 0.9.
    Differs from the first author's code, which calls itself incomplete: contrasts are drawn without
    replacement, and the gradient part is a distiller of its own.
    """

    weight = 1.0
    memory = RelationBank

    def __init__(
        self,
        pair: Pair,
        *,
        k: int = 500,
        feat_dim: int = 128,
        temperature: float = 0.05,
        momentum: float = 0.5,
    ) -> None:
        """See `ContrastiveRepresentation`."""
        super().__init__(pair, k=k, feat_dim=feat_dim, temperature=temperature, momentum=momentum)

    def error(self, chances: Tensor, chosen: Tensor) -> Tensor:
        """Average over the chosen anchors: (B,) from scores (B, B, 1 + K)."""
        mask = chosen.to(chances.dtype)
        return super().error(chances, chosen) @ mask / mask.sum().clamp(min=1)
