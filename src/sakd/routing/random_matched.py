"""A control: as often as the adaptive policy, but not for its samples."""

from __future__ import annotations

import torch
from torch import Tensor

from sakd.routing.adaptive import Adaptive
from sakd.routing.base import Route


class RandomMatched(Adaptive):
    """Trained like `Adaptive`, but each spot's choices go to random samples of the batch.

    The rate at every spot and step equals the adaptive policy's, so a difference between the two
    is due to *which* samples are chosen, not to how many.
    """

    def forward(self, student: Tensor, teacher: Tensor, generator: torch.Generator) -> Route:
        """Shuffle each column of the choice separately, but not the gate."""
        route = super().forward(student, teacher, generator)
        keys = torch.rand(route.chosen.shape, generator=generator, device=student.device)
        return Route(route.chosen.gather(0, keys.argsort(dim=0)), route.gate)
