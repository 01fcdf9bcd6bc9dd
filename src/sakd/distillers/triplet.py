"""Triplets of teacher, student, and another image."""

from __future__ import annotations

import torch
from torch import Tensor

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair, mean_over_batch
from sakd.foundation.errors import require_not_negative
from sakd.networks.spots import SpotFamily

EPSILON = 1e-6
"""Added to differences, as in torch's loss of triplets."""


class TripletDistillation(Distiller):
    """Be nearer to the teacher's logits of an image than the student's of other classes are.

    Oki et al., 2020, arXiv:2004.08116. The loss of a sample depends on the others.
    Loss over the chosen samples: mean_b mean_j max(0, |z_t(b) - z_s(b)| - |z_t(b) - z_s(j)| + m),
    j the chosen samples with another label than b; without any, b counts 0. The margin m = 5 and
    the weight of 2 are those of the authors' code. A mixed image counts by the label with the
    larger share.
    It takes the place of KD, which is left out; the authors have both, at T = 1: kd-triplet.
    Differs from the authors' code: j are the other samples of the batch, instead of one image
    drawn from the training set for each b, which takes another forward pass.
    """

    family = SpotFamily.LOGITS
    weight = 2.0

    def __init__(self, pair: Pair, *, margin: float = 5.0) -> None:
        """Set the margin.

        Args:
            pair: The networks and the data.
            margin: m.

        Raises:
            UserError: The margin is negative.
        """
        super().__init__(pair)
        require_not_negative(margin=margin)
        self.margin = margin

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are logits (B, K)."""
        labels = batch.leading_labels
        others = ((labels[:, None] != labels) & chosen).to(student.dtype)
        missing = (self.missing(student, teacher) * others).sum(dim=1)
        return mean_over_batch(missing / others.sum(dim=1).clamp(min=1), chosen)

    def missing(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Compute how much triplets of logits (B, K) lack of the margin.

        Returns:
            (B, B): row b for the teacher of b, column j for the student of j.
        """
        exact = "donot_use_mm_for_euclid_dist"
        distances = torch.cdist(teacher + EPSILON, student, compute_mode=exact)
        return (distances.diagonal()[:, None] - distances + self.margin).clamp(min=0)
