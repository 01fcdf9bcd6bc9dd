"""Distil where the teacher does better than the student."""

from __future__ import annotations

from sakd.routing.base import Route, RoutingPolicy
from sakd.routing.scene import Scene, Sight


class Better(RoutingPolicy):
    """Distil, at every spot, the samples on which the teacher's label loss is below the student's.

    Proposed here: what the router of SAKD is trained for, as a rule and without a network. All
    samples learn their labels.
    It collapses to "always" where the teacher is better on more than 99 % of the training images,
    and to "never" once the student knows the training images better than the teacher.
    """

    sees = Sight.LOGITS

    def forward(self, scene: Scene) -> Route:
        """Compare the losses, see `RoutingPolicy.forward`."""
        return Route(self.everywhere(scene.teacher.losses < scene.student.losses))
