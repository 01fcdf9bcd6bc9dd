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
    """Match distances and angles among the samples of the batch; batch-dependent.

    Park et al., CVPR 2019, arXiv:1904.05068.
    Loss over n chosen samples: 25 * mean_{n^2} huber(D_s - D_t) + 50 * mean_{n^3} huber(A_s - A_t),
    D the distances over their mean positive value, A the cosines of the angles. As in the SAKD
    reference, a teacher that is trained too gets no gradient of it.
    """

    family = SpotFamily.EMBEDDING
    gamma = 2.0

    def __init__(
        self, pair: Pair, *, distance_weight: float = 25.0, angle_weight: float = 50.0
    ) -> None:
        """Weigh the two terms; the defaults are the paper's."""
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
    """Distances (B, B) within ``pairs`` (B, B of 0 or 1), over their mean positive value."""
    norms = embedding.square().sum(dim=1)
    squared = norms[:, None] + norms - 2 * embedding @ embedding.T
    others = pairs * (1 - torch.eye(len(pairs), dtype=pairs.dtype, device=pairs.device))
    distance = squared.clamp(min=1e-12).sqrt() * others
    mean = distance.sum() / others.sum().clamp(min=1)
    return distance / torch.where(mean > 0, mean, torch.ones_like(mean))


def angles(embedding: Tensor, pairs: Tensor) -> Tensor:
    """Cosines (B, B, B): entry [i, j, k] of the angle at sample i between j and k."""
    directions = normalize(embedding[None] - embedding[:, None], dim=2) * pairs[:, :, None]
    return directions @ directions.transpose(1, 2)


def _summed_huber(student: Tensor, teacher: Tensor) -> Tensor:
    return smooth_l1_loss(student, teacher, reduction="sum")
