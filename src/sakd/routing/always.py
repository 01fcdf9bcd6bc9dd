"""Distil everywhere: plain knowledge distillation."""

from __future__ import annotations

import torch
from torch import Tensor

from sakd.routing.base import Route, RoutingPolicy


class Always(RoutingPolicy):
    """Every sample at every spot: the distiller as published, without routing."""

    def forward(self, student: Tensor, teacher: Tensor, generator: torch.Generator) -> Route:
        """Choose everything, see `RoutingPolicy.forward`."""
        chosen = torch.ones(len(student), self.decisions, dtype=torch.bool, device=student.device)
        return Route(chosen, gate=None)
