"""Complementary relation contrastive distillation."""

from __future__ import annotations

import torch
from torch import Tensor

from sakd.data import Batch
from sakd.distillers.base import Epoch, Pair
from sakd.distillers.crd import ContrastiveRepresentation
from sakd.distillers.parts.relations import RelationBank
from sakd.foundation.errors import require


class ComplementaryRelations(ContrastiveRepresentation):
    """Tell the other network's relations between two images from those to images of other classes.

    Zhu et al., CVPR 2021, arXiv:2103.16367. As `ContrastiveRepresentation`, with relations in the
    place of embeddings: the loss of a sample depends on the others.
    Loss, summed over both networks: -mean_{b, a} [ log h(0) + sum_{k = 1..K} log(1 - h(k)) ],
    h(k) = p / (p + K / N), p = exp(<v_b - u_a, u_k - u_a> / T) / Z, both differences scaled to
    length 1. v_b is one network's embedding of image b, u_a and u_k rows of the other's bank; a and
    b run over the batch. Banks start at unit length. Memory grows with B^2 K.
    The first author has KD with weight 0.9, and neither of the two in the last 1/25 of the epochs;
    ``rest`` is that share for this loss alone, and 0 unless it is set.
    Differs from the first author's code, which calls itself incomplete: contrasts are drawn without
    replacement, and the gradient part is a distiller of its own.
    """

    weight = 1.0
    memory = RelationBank
    teaching: Tensor

    def __init__(
        self,
        pair: Pair,
        *,
        k: int = 500,
        feat_dim: int = 128,
        temperature: float = 0.05,
        momentum: float = 0.5,
        rest: float = 0.0,
    ) -> None:
        """Make embeddings and banks, see `ContrastiveRepresentation`.

        Args:
            pair: The networks and the data.
            k: K, the number of contrasts.
            feat_dim: Dimensions of the embeddings.
            temperature: T.
            momentum: Share of the old row of a bank in the new one.
            rest: The share of the epochs, up to the last, without this loss.

        Raises:
            UserError: A value is out of range, or all training images are of one class.
        """
        super().__init__(pair, k=k, feat_dim=feat_dim, temperature=temperature, momentum=momentum)
        require(0 <= rest < 1, f"rest is a share of the epochs in [0, 1), got {rest}")
        self.rest = rest
        self.register_buffer("teaching", torch.ones(()))

    def begin_epoch(self, epoch: Epoch) -> None:
        """Teach nothing in the last epochs, if they are to be at rest."""
        self.teaching.fill_(epoch.total - epoch.number > self.rest * epoch.total)

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are embeddings (B, C)."""
        return self.teaching * super().loss(spot, student, teacher, batch, chosen)

    def error(self, chances: Tensor, chosen: Tensor) -> Tensor:
        """Average over the chosen anchors: (B,) from scores (B, B, 1 + K)."""
        mask = chosen.to(chances.dtype)
        return super().error(chances, chosen) @ mask / mask.sum().clamp(min=1)
