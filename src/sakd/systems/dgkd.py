"""A teacher and all its assistants at once, some left out of every batch: DGKD."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sakd.data import Batch
from sakd.foundation.errors import require
from sakd.systems.base import Situation
from sakd.systems.parts.weighted import Weighted, WeightedSettings


@dataclass(frozen=True, kw_only=True)
class DenseSettings(WeightedSettings):
    """The settings of `DGKD`.

    Attributes:
        temperature: T.
        drop: The number of teachers that are left out of every batch, drawn for each.
    """

    temperature: float = 5.0
    drop: int = 1

    def __post_init__(self) -> None:
        """Refuse a negative number."""
        super().__post_init__()
        require(self.drop >= 0, f"drop must be 0 or more, got {self.drop}")


class DGKD(Weighted[DenseSettings]):
    """Densely guided distillation: the losses of all teachers are added, but for some by chance.

    Son et al., ICCV 2021, arXiv:2009.08825. L = ce_weight * CE + kd_weight * sum_m w_m T^2
    KL(p_m^T || p_s^T), where w_m is 0 for ``drop`` teachers of a batch and 1 for the others. The
    sum, unlike a mean, makes the part of the teachers grow with their number. On a path
    ``T//A1//A2/S`` the teachers are T and the assistants, each of which learned from all before it,
    none of them left out.
    Differs from the authors' code, which leaves the labels out by default, and whose divergences
    are means over samples and classes, K times weaker; and from the paper, whose formula counts the
    cross-entropy once for every teacher, and which draws for each by itself whether it is left out.
    """

    settings = DenseSettings

    def __init__(self, situation: Situation, settings: DenseSettings) -> None:
        """Check that a teacher is left.

        Raises:
            UserError: All teachers would be left out.
        """
        super().__init__(situation, settings)
        count = len(self.teachers)
        require(
            settings.drop < count,
            f"drop {settings.drop} leaves none of {count} teachers: set it to {count - 1} or less",
        )
        self.drop = settings.drop

    def shares(self, student: Tensor, teachers: Tensor, batch: Batch) -> Tensor:
        """Draw who is left out of the batch, see `Weighted.shares`."""
        size, count, _ = teachers.shape
        draws = batch.draws("drop")
        chance = torch.rand(count, generator=draws, device=teachers.device)
        kept = chance.argsort().argsort() >= self.drop
        return kept.to(teachers.dtype).expand(size, count)
