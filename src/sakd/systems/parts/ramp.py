"""Branches with a weight that rises over the first epochs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from sakd.data import BatchStream
from sakd.foundation.errors import require, require_positive
from sakd.networks import StagedNetwork
from sakd.objectives import Settings
from sakd.systems.parts.branched import Branched
from sakd.tasks import Task

STEEPNESS = 5.0


class Ramp(nn.Module):
    """A weight that rises to 1: exp(-5 (1 - min(e, R) / R)^2) in epoch e, counted from 0.

    The first epoch has exp(-5), which is 0.0067.

    Attributes:
        share: R as a part of all epochs; with 0 the weight is 1 from the beginning.
        weight: The present weight, a buffer ().
    """

    weight: Tensor

    def __init__(self, share: float) -> None:
        """Rise over the ``share`` of the epochs."""
        super().__init__()
        self.share = share
        self.register_buffer("weight", torch.zeros(()))

    def begin(self, epoch: int, epochs: int) -> None:
        """Take the weight of an ``epoch`` of so many ``epochs``, in place."""
        self.weight.fill_(risen(epoch, self.share * epochs))

    def forward(self, loss: Tensor) -> Tensor:
        """Weigh ``loss``, a scalar."""
        return self.weight * loss


def risen(epoch: int, length: float) -> float:
    """Compute the weight of `Ramp` in ``epoch``, when it rises over ``length`` epochs."""
    rest = 1 - epoch / length if epoch < length else 0.0
    return math.exp(-STEEPNESS * rest**2)


@dataclass(frozen=True, kw_only=True)
class RampSettings(Settings):
    """The settings of branches that learn from each other; the defaults are the authors'.

    Attributes:
        temperature: T.
        ramp: The part of the epochs over which the weight of divergences rises; 80 of 300.
    """

    temperature: float = 3.0
    ramp: float = 80 / 300

    def __post_init__(self) -> None:
        """Refuse a temperature that is not positive, and a part of the epochs out of range."""
        super().__post_init__()
        require_positive(temperature=self.temperature)
        fine = 0 <= self.ramp <= 1
        require(fine, f"ramp is a part of the epochs in [0, 1], got {self.ramp}")


R = TypeVar("R", bound=RampSettings)


class Rising(Branched[R]):
    """Branches whose divergences count more from epoch to epoch, see `Ramp`.

    Attributes:
        how: The settings.
        ramp: The weight of the divergences.
    """

    def __init__(
        self,
        student: StagedNetwork,
        tails: Sequence[StagedNetwork],
        cut: int,
        task: Task,
        how: R,
    ) -> None:
        """Put ``tails`` on the trunk of ``student``, see `Branched`; take ``how``, the settings."""
        super().__init__(student, tails, cut, task)
        self.how = how
        self.ramp = Ramp(how.ramp)

    def begin_epoch(self, epoch: int, epochs: int, stream: BatchStream) -> None:
        """Raise the weight of the divergences."""
        self.ramp.begin(epoch, epochs)
