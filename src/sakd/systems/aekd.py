"""Teachers weighted so that their gradients agree: AE-KD."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softmax

from sakd.data import Batch
from sakd.foundation.errors import require
from sakd.systems.base import Situation
from sakd.systems.parts.active_sets import shortest_mixture
from sakd.systems.parts.weighted import Weighted, WeightedSettings

MOST_TEACHERS = 6
"""The assignments of shares to bounds are tried one by one: 3^M of them."""


@dataclass(frozen=True, kw_only=True)
class AEKDSettings(WeightedSettings):
    """The settings of `AEKD`.

    Attributes:
        bound: C, the largest share of a teacher before its gradient's length counts.
    """

    bound: float = 0.6

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        super().__post_init__()
        require(0 < self.bound <= 1, f"bound must be above 0 and at most 1, got {self.bound}")


class AEKD(Weighted[AEKDSettings]):
    """Teachers count so that the student moves as most of them ask: a game of several objectives.

    Du et al., NeurIPS 2020, with the weights of losses of CA-MKD (arXiv:2201.00007). v_m is the
    mean over the batch of the gradient of teacher m's loss by the student's logits, u_m = v_m /
    |v_m|; a minimises |sum_m a_m u_m|^2 with 0 <= a_m <= C and sum a = 1; w_m is proportional to
    a_m / |v_m|, and all w of a batch sum to 1. Equation: see `Weighted`.
    Differs from the code: the minimum is found by trying which bounds hold, not by a support vector
    machine.
    """

    settings = AEKDSettings

    def __init__(self, situation: Situation, settings: AEKDSettings) -> None:
        """Check that the teachers can reach the sum of 1, and are not too many.

        Raises:
            UserError: There are more than six teachers, or the bound is too low for so few.
        """
        super().__init__(situation, settings)
        count = len(self.teachers)
        require(
            count <= MOST_TEACHERS,
            f"aekd takes up to {MOST_TEACHERS} teachers, got {count}: leave some out",
        )
        require(
            count * settings.bound >= 1,
            f"bound {settings.bound} is too low for {count} teachers, whose shares sum to 1: set "
            f"it to {1 / count:.2g} or more",
        )
        self.bound = settings.bound

    def shares(self, student: Tensor, teachers: Tensor, batch: Batch) -> Tensor:
        """Compare gradients, see `Weighted.shares`; a batch has the same shares for all samples."""
        theirs = softmax(teachers / self.temperature, dim=2)
        ours = softmax(student / self.temperature, dim=1)
        gradients = (ours[:, None] - theirs).mean(dim=0)  # up to a factor that all have
        lengths = gradients.norm(dim=1).clamp(min=torch.finfo(gradients.dtype).tiny)
        units = gradients / lengths[:, None]
        shares: Tensor = shortest_mixture(units @ units.T, self.bound) / lengths
        return (shares / shares.sum()).expand(len(student), -1)
