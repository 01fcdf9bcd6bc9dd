"""Tf-KD with a teacher that is written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from sakd.data import Batch
from sakd.distillers.parts.logits import divergence
from sakd.foundation.errors import require, require_not_negative, require_positive
from sakd.objectives import Settings
from sakd.systems.base import Partner
from sakd.systems.parts.learner import Learner, Term

RIGHT = 0.99
"""The probability that the teacher gives to the label."""


@dataclass(frozen=True, kw_only=True)
class TfKDSettings(Settings):
    """The settings of Tf-KD; the defaults of `TfKDReg` are those of ResNet18 on CIFAR-100.

    Attributes:
        alpha: The weight of the teacher's part; the label loss has 1 - alpha.
        temperature: T.
        multiplier: m / K, a factor of the teacher's part. The authors' settings name m, and their
            code divides by the number of classes K: 100 / 100.
    """

    alpha: float = 0.1
    temperature: float = 20.0
    multiplier: float = 1.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        require(0 <= self.alpha <= 1, f"alpha must be in [0, 1], got {self.alpha}")
        require_positive(temperature=self.temperature)
        require_not_negative(multiplier=self.multiplier)


class TfKDReg(Learner[TfKDSettings]):
    """Learn from a hand-written teacher that is right in 99 of 100: teacher-free regularisation.

    Yuan et al., CVPR 2020, arXiv:1909.11723, as in the authors' code:
    L = (1 - alpha) CE + alpha m / K * mean_b sum_k q_k log(q_k / softmax(z)_k), where
    q = softmax(u / T) of the probabilities u, 0.99 at the label and 0.01 / (K - 1) at the others.
    The student is not softened. Where images were mixed, each label has a teacher of its own.
    """

    partner = Partner.NONE
    settings = TfKDSettings

    def terms(self, batch: Batch, seen: Sequence[Tensor]) -> dict[str, Term]:
        """Compute the label loss and the divergence from the hand-written teacher."""
        (logits,) = seen
        chosen = self.chosen
        ours = log_softmax(logits, dim=1)
        error = batch.by_labels(partial(self._error, ours)).mean()
        return {
            "cross_entropy": Term(self.task.loss(logits, batch), 1 - chosen.alpha),
            "teacher_free": Term(error, chosen.alpha * chosen.multiplier),
        }

    def _error(self, ours: Tensor, labels: Tensor) -> Tensor:
        return divergence(ours, hand_written(ours, labels, self.chosen.temperature))


def hand_written(like: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Give the log-probabilities of the teacher, of the shape (B, K) of ``like``."""
    wrong = (1 - RIGHT) / (like.shape[1] - 1)
    chances = torch.full_like(like, wrong).scatter(1, labels[:, None], RIGHT)
    return log_softmax(chances / temperature, dim=1)
