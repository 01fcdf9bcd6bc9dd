"""Distil everywhere: plain knowledge distillation."""

from __future__ import annotations

import torch

from sakd.routing.base import Route, RoutingPolicy
from sakd.routing.scene import Scene, Sight


class Always(RoutingPolicy):
    """Every sample at every spot, from every teacher: the distiller as published, unrouted."""

    sees = Sight.NOTHING
    settled = True
    among = True

    @property
    def at_once(self) -> int:
        """All teachers."""
        return self.teachers

    def forward(self, scene: Scene) -> Route:
        """Choose everything, see `RoutingPolicy.forward`."""
        everybody = torch.ones(len(scene), dtype=torch.bool, device=scene.device)
        return Route(self.everywhere(everybody))
