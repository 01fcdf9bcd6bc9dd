"""Instance relationship graph."""

from __future__ import annotations

import torch
from torch import Tensor

from sakd.data import Batch
from sakd.distillers.base import Distiller
from sakd.distillers.parts.shares import shares_of_largest
from sakd.networks.spots import SpotFamily


class InstanceRelations(Distiller):
    """Match the distances between the samples of the batch, as shares of the largest.

    Liu et al., CVPR 2019, "Knowledge Distillation via Instance Relationship Graph", the edges of
    the graph. The loss of a sample depends on the others.
    Loss over n chosen samples: sum_{n^2} (E_s - E_t)^2 / (2 n), E the squared distances of the
    embeddings over the largest, which is taken for a constant.
    The authors' weight is 0.005, but their backward pass gives half of the gradient: 0.0025 here
    moves the student as much.
    Differs from the paper: embeddings alone, and no vertices (logits), which KD compares here.
    `sakd.distillers.irg_transform` has the changes between stages.
    """

    family = SpotFamily.EMBEDDING
    weight = 0.0025

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are embeddings (B, C)."""
        error = (edges(student, chosen) - edges(teacher, chosen)).square().sum()
        return error / (2 * chosen.numel())


def edges(embedding: Tensor, chosen: Tensor) -> Tensor:
    """Compute E (B, B) among the chosen of ``embedding`` (B, C); other entries are zero."""
    mask = chosen.to(embedding.dtype)
    exact = "donot_use_mm_for_euclid_dist"
    squares = torch.cdist(embedding, embedding, compute_mode=exact).square()
    return shares_of_largest(squares * mask[:, None] * mask)
