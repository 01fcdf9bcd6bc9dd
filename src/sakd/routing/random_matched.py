"""A control: as often as the adaptive policy, but not for its samples."""

from __future__ import annotations

import torch

from sakd.routing.adaptive import Adaptive
from sakd.routing.base import Route
from sakd.routing.scene import Scene


class RandomMatched(Adaptive):
    """Trained like `Adaptive`, but each spot's choices go to random samples of the batch.

    The rate at every spot and step equals the adaptive policy's, from every teacher, so a
    difference between the two is due to *which* samples are chosen, not to how many.
    """

    def forward(self, scene: Scene) -> Route:
        """Shuffle the choice of each spot separately, but not the gate."""
        route = super().forward(scene)
        size = (len(scene), self.decisions)
        keys = torch.rand(size, generator=scene.generator, device=scene.device)
        order = keys.argsort(dim=0).repeat_interleave(self.teachers, dim=1)
        return route._replace(share=route.share.gather(0, order))
