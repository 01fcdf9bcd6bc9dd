"""Keep a moving average of the weights beside a student that learns from labels alone."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from sakd.data import Batch
from sakd.foundation.errors import require
from sakd.networks.averaged import Averaged
from sakd.objectives import Settings
from sakd.systems.base import Partner, Situation
from sakd.systems.parts.learner import Learner, Term


@dataclass(frozen=True, kw_only=True)
class EMASettings(Settings):
    """The settings of `EMA`.

    Attributes:
        decay: The largest share of the average that stays at an update.
    """

    decay: float = 0.999

    def __post_init__(self) -> None:
        """Check the share."""
        require(0 <= self.decay < 1, f"decay must be from 0 to below 1, got {self.decay}")


class EMA(Learner[EMASettings]):
    """Learn from labels alone, and measure a moving average of the weights as the network ``ema``.

    The student is that of a training without a teacher, to the bit. The average starts from its
    weights and follows after every update, see `Averaged`; it has the student's own statistics of
    batch norms. A control: of the gain of systems that learn from an average of themselves, this
    much needs no learning.
    """

    partner = Partner.NONE
    settings = EMASettings
    resting = ("copy",)

    def __init__(self, situation: Situation, settings: EMASettings) -> None:
        """Train the student of ``situation``."""
        super().__init__(situation, settings)
        self.copy = Averaged(copy.deepcopy(situation.student), settings.decay)

    def further_networks(self) -> dict[str, nn.Module]:
        """Name the average."""
        return {"ema": self.copy.network}

    def updated(self) -> None:
        """Let the average follow, with the present statistics."""
        self.copy.follow(self.student, statistics=True)

    def terms(self, batch: Batch, seen: Sequence[Tensor]) -> dict[str, Term]:
        """Compute the label loss."""
        return {"cross_entropy": Term(self.task.loss(seen[0], batch))}
