"""A control: the opposite of the adaptive policy."""

from __future__ import annotations

import torch
from torch import Tensor

from sakd.routing.adaptive import Adaptive
from sakd.routing.base import Route


class Anti(Adaptive):
    """Trained like `Adaptive`, but the student learns exactly where the policy says no."""

    def forward(self, student: Tensor, teacher: Tensor, generator: torch.Generator) -> Route:
        """Invert the choice, but not the gate: the policy's training is unchanged."""
        route = super().forward(student, teacher, generator)
        return Route(~route.chosen, route.gate)
