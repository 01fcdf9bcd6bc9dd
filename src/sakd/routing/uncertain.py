"""Distil the samples of which the student is least sure."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from sakd.foundation.errors import require
from sakd.routing.base import Route, RoutingPolicy
from sakd.routing.scene import Scene, Sight

Score = Literal["entropy", "confidence", "margin"]


class Uncertain(RoutingPolicy):
    """Distil, at every spot, the part of the batch of which the student is least sure.

    Xu et al., 2020, arXiv:2012.09413: the selection of UNIX, with the scores of the authors' code.
    These are the entropy of p = softmax(z_s), 1 - max p, or -(p_1 - p_2) of the two largest. The k
    samples of the highest score are taken, k = share x B rounded, at least 1. So its rate is given,
    and cannot collapse.
    Differs from the paper: the samples are not mixed with others, the teacher sees the whole batch
    and nothing is saved, and all samples learn their labels: the objective ``unix`` has the rest.
    The scores are of the student's pass in this step, where the authors' code has one of its own.
    """

    sees = Sight.LOGITS
    settled = True

    def __init__(
        self,
        student_width: int,
        teacher_width: int,
        decisions: int,
        *,
        share: float = 0.75,
        score: Score = "entropy",
    ) -> None:
        """Set the size and the order of the choice.

        Args:
            student_width: C_s.
            teacher_width: C_t.
            decisions: D.
            share: The part of the batch that distils; the authors take 48 of 64.
            score: The measure of doubt.

        Raises:
            UserError: The share is not above 0 and at most 1.
        """
        super().__init__(student_width, teacher_width, decisions)
        require(0 < share <= 1, f"share must be above 0 and at most 1, got {share}")
        self.share = share
        self.score = score

    def forward(self, scene: Scene) -> Route:
        """Take the samples of the highest score, see `RoutingPolicy.forward`."""
        count = max(1, round(self.share * len(scene)))
        first = doubt(scene.student.logits, self.score).topk(count).indices
        nobody = torch.zeros(len(scene), dtype=torch.bool, device=scene.device)
        return Route(self.everywhere(nobody.index_fill(0, first, True)))


def doubt(logits: Tensor, score: Score) -> Tensor:
    """Compute the ``score`` (B,) of logits (B, K): the higher, the less sure."""
    chances = logits.softmax(dim=1)
    if score == "entropy":
        return -(chances * logits.log_softmax(dim=1)).sum(dim=1)
    if score == "confidence":
        return 1 - chances.amax(dim=1)
    first, second = chances.topk(2, dim=1).values.unbind(dim=1)
    return second - first
