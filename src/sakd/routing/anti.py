"""A control: the opposite of the adaptive policy."""

from __future__ import annotations

from sakd.routing.adaptive import Adaptive
from sakd.routing.base import Route
from sakd.routing.scene import Scene


class Anti(Adaptive):
    """Trained like `Adaptive`, but the student learns exactly where the policy says no."""

    among = False

    def forward(self, scene: Scene) -> Route:
        """Invert the choice, but not the gate: the policy's training is unchanged."""
        route = super().forward(scene)
        return route._replace(share=~route.share)
