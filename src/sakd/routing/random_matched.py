"""A control: as often as the adaptive policy, but not for its samples."""

from __future__ import annotations

import torch

from sakd.routing.adaptive import Adaptive
from sakd.routing.base import Route
from sakd.routing.scene import Scene


class RandomMatched(Adaptive):
    """Trained like `Adaptive`, but each spot's choices go to random samples of the batch.

    The rate at every spot and step equals the adaptive policy's, so a difference between the two
    is due to *which* samples are chosen, not to how many.
    """

    def forward(self, scene: Scene) -> Route:
        """Shuffle each column of the choice separately, but not the gate."""
        route = super().forward(scene)
        keys = torch.rand(route.share.shape, generator=scene.generator, device=scene.device)
        return route._replace(share=route.share.gather(0, keys.argsort(dim=0)))
