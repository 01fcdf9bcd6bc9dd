"""Correlation congruence."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair
from sakd.foundation.errors import require_positive
from sakd.networks.spots import SpotFamily


class CorrelationCongruence(Distiller):
    """Match correlations between neighbours in the batch, in a learnt embedding.

    Peng et al., ICCV 2019, arXiv:1904.01802, in the form of the SAKD reference. The loss of a
    sample depends on the others.
    Loss over n chosen samples in batch order: mean_{i < n} <d_i, d_{i+1}>, d = |e(F_s) - e'(F_t)|,
    e and e' linear layers. As in the reference's spot-adaptive training, e' keeps its random
    initial value; its plain training also trains e' (``train_teacher_embedding``).
    Differs from the paper: only neighbours are related, and by the differences of their
    embeddings instead of kernels.
    """

    family = SpotFamily.EMBEDDING
    weight = 0.02

    def __init__(
        self, pair: Pair, *, feat_dim: int = 128, train_teacher_embedding: bool = False
    ) -> None:
        """Make both embeddings.

        Args:
            pair: The networks and the data.
            feat_dim: Dimensions of the embeddings.
            train_teacher_embedding: Whether e' is trained.

        Raises:
            UserError: ``feat_dim`` is not positive.
        """
        super().__init__(pair)
        require_positive(feat_dim=feat_dim)
        self.student_embedding = nn.Linear(pair.student_shapes[0][0], feat_dim)
        self.teacher_embedding = nn.Linear(pair.teacher_shapes[0][0], feat_dim)
        self.teacher_embedding.requires_grad_(train_teacher_embedding)

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are embeddings (B, C)."""
        deviation: Tensor = self.student_embedding(student) - self.teacher_embedding(teacher)
        compacted = deviation.abs()[chosen.logical_not().to(torch.uint8).argsort(stable=True)]
        correlation = (compacted[:-1] * compacted[1:]).sum(dim=1)
        count = chosen.sum().to(correlation.dtype)
        related = torch.arange(1, chosen.numel(), device=chosen.device) < count
        mean = (correlation * related.to(correlation.dtype)).sum() / (count - 1).clamp(min=1)
        return mean * count / chosen.numel()
