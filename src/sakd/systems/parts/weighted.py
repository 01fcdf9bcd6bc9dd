"""Distillation from the logits of several teachers, each with a share of every sample."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from sakd.data import Batch
from sakd.distillers.parts.logits import divergence
from sakd.objectives import Outputs
from sakd.systems.base import Situation
from sakd.systems.parts.divergence import DivergenceSettings
from sakd.systems.parts.teachers import FromTeachers, TeachersSettings, shares_shown


@dataclass(frozen=True, kw_only=True)
class WeightedSettings(DivergenceSettings, TeachersSettings):
    """The settings of a weighted mean of teachers."""


W = TypeVar("W", bound=WeightedSettings)


class Weighted(FromTeachers[W]):
    """L = CE + (1/B) sum_b sum_m w_m(b) T^2 KL(p_m^T || p_s^T), with shares w of each system."""

    settings = WeightedSettings

    def __init__(self, situation: Situation, settings: W) -> None:
        """Take the networks of ``situation``, and the weights and temperature of ``settings``."""
        super().__init__(situation, settings)
        self.weights["kd"] = settings.kd_weight
        self.temperature = settings.temperature

    @abstractmethod
    def shares(self, student: Tensor, teachers: Tensor, batch: Batch) -> Tensor:
        """Compute the shares w (B, M) of the teachers.

        Args:
            student: The student's logits (B, K), without gradient.
            teachers: Those of the teachers (B, M, K).
            batch: The images and their labels.
        """

    def knowledge(
        self, batch: Batch, student: Outputs, taught: Sequence[Outputs]
    ) -> Mapping[str, Tensor]:
        """Compute the weighted divergence from all teachers."""
        logits = torch.stack([outputs.logits for outputs in taught], dim=1)
        shares = self.shares(student.logits.detach(), logits, batch)
        errors = divergences(student.logits, logits, self.temperature)
        return {"kd": (shares * errors).sum(dim=1).mean(), **shares_shown(shares)}


def divergences(student: Tensor, teachers: Tensor, temperature: float) -> Tensor:
    """Compute T^2 KL(p_m^T || p_s^T) (B, M).

    Args:
        student: Logits (B, K).
        teachers: Logits (B, M, K).
        temperature: T.
    """
    ours, theirs = (log_softmax(logits / temperature, dim=-1) for logits in (student, teachers))
    each = [divergence(ours, one) for one in theirs.unbind(dim=1)]
    return temperature**2 * torch.stack(each, dim=1)
