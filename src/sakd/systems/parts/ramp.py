"""A weight that rises over the first epochs."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from sakd.foundation.errors import require

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


def check_ramp(share: float) -> None:
    """Check that ``share`` is a part of the epochs.

    Raises:
        UserError: It is not.
    """
    require(0 <= share <= 1, f"ramp is a part of the epochs in [0, 1], got {share}")
