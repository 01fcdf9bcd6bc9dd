"""Distillation that ends before the training does: ESKD."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sakd.data import Batch, BatchStream
from sakd.foundation.errors import require, require_positive
from sakd.objectives import Settings
from sakd.systems.base import Situation
from sakd.systems.parts.divergence import divergence
from sakd.systems.parts.learner import Term
from sakd.systems.parts.taught import Taught


@dataclass(frozen=True, kw_only=True)
class StoppedSettings(Settings):
    """The settings of `ESKD`.

    Attributes:
        alpha: The share of the teacher's part of the loss, while it counts.
        temperature: T.
        until: The part of the epochs in which the teacher counts; 1 for all of them.
    """

    alpha: float = 0.9
    temperature: float = 4.0
    until: float = 0.67

    def __post_init__(self) -> None:
        """Refuse what is no share, and a temperature that is not positive."""
        require(0 <= self.alpha <= 1, f"alpha must be from 0 to 1, got {self.alpha}")
        fine = 0 < self.until <= 1
        require(fine, f"until is a part of the epochs above 0 and up to 1, got {self.until}")
        require_positive(temperature=self.temperature)


class ESKD(Taught[StoppedSettings]):
    """A teacher that is too good to follow helps early, and is left in time.

    Cho and Hariharan, ICCV 2019, arXiv:1910.01348, after its description; no code of the authors
    was found, and the settings are ours. L = (1 - a) CE + a T^2 KL(p_t^T || p_s^T), where a is
    alpha until the end of the part ``until`` of the epochs, and 0 after it. The divergence is
    logged to the end. Their other remedy, a teacher with a short training of its own, is a variant
    of the teacher, ``T@brief``.

    Attributes:
        share: a, a buffer ().
    """

    settings = StoppedSettings
    share: Tensor

    def __init__(self, situation: Situation, settings: StoppedSettings) -> None:
        """Train the student of ``situation`` under its teacher."""
        super().__init__(situation, settings)
        self.register_buffer("share", torch.tensor(settings.alpha))

    def begin_epoch(self, epoch: int, epochs: int, stream: BatchStream) -> None:
        """Take the share of an epoch."""
        taught = epoch < round(self.chosen.until * epochs)
        self.share.fill_(self.chosen.alpha if taught else 0.0)

    def terms(self, batch: Batch, seen: Sequence[Tensor]) -> dict[str, Term]:
        """Compute the label loss and the divergence from the teacher."""
        logits, taught = seen
        error = divergence(logits, taught.detach(), self.chosen.temperature)
        labels = self.task.loss(logits, batch)
        return {"cross_entropy": Term(labels, 1 - self.share), "kd": Term(error, self.share)}
