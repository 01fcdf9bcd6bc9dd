"""Relational knowledge distillation."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize, smooth_l1_loss

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair
from sakd.foundation.errors import require_not_negative
from sakd.networks.spots import SpotFamily


class RelationalKD(Distiller):
    """Match distances and angles among the samples of the batch.

    Park et al., CVPR 2019, arXiv:1904.05068. The loss of a sample depends on the others.
    Loss over n chosen samples: 25 * mean_{n^2} huber(D_s - D_t) + 50 * mean_{n^3} huber(A_s - A_t),
    D the distances divided by the mean of the positive ones, A the cosines of the angles. As in
    the SAKD reference, a teacher that is trained too gets no gradient.
    """

    family = SpotFamily.EMBEDDING
    gamma = 2.0

    def __init__(
        self, pair: Pair, *, distance_weight: float = 25.0, angle_weight: float = 50.0
    ) -> None:
        """Set the weights of the two terms; the defaults are the paper's.

        Args:
            pair: The networks and the data.
            distance_weight: Weight of the distances.
            angle_weight: Weight of the angles.

        Raises:
            UserError: A weight is negative.
        """
        super().__init__(pair)
        require_not_negative(distance_weight=distance_weight, angle_weight=angle_weight)
        self.distance_weight = distance_weight
        self.angle_weight = angle_weight

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are embeddings (B, C)."""
        teacher = teacher.detach()
        mask = chosen.to(student.dtype)
        pairs = mask[:, None] * mask
        distance = _summed_huber(distances(student, pairs), distances(teacher, pairs))
        angle = _summed_huber(angles(student, pairs), angles(teacher, pairs))
        count = mask.sum().clamp(min=1)
        total = self.distance_weight * distance / count + self.angle_weight * angle / count**2
        return total / chosen.numel()


def distances(embedding: Tensor, pairs: Tensor) -> Tensor:
    """Compute D (B, B) of ``embedding`` (B, C) within ``pairs`` (B, B), which are 0 or 1."""
    norms = embedding.square().sum(dim=1)
    squared = norms[:, None] + norms - 2 * embedding @ embedding.T
    others = pairs * (1 - torch.eye(len(pairs), dtype=pairs.dtype, device=pairs.device))
    distance = squared.clamp(min=1e-12).sqrt() * others
    mean = distance.sum() / others.sum().clamp(min=1)
    return distance / torch.where(mean > 0, mean, torch.ones_like(mean))


def angles(embedding: Tensor, pairs: Tensor) -> Tensor:
    """Compute A (B, B, B) within ``pairs``: [i, j, k] is the angle at i between j and k."""
    directions = normalize(embedding[None] - embedding[:, None], dim=2) * pairs[:, :, None]
    return directions @ directions.transpose(1, 2)


def _summed_huber(student: Tensor, teacher: Tensor) -> Tensor:
    return smooth_l1_loss(student, teacher, reduction="sum")
