"""How much memory a training needs, and how many can be trained side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sakd.data import Batch
from sakd.foundation.machine import free_memory
from sakd.objectives import Objective

SHARE = 0.8
"""Of the memory that is free, trainings take no more than this share."""

UPDATED = 3
"""Tensors that are kept for every trained one: itself, its gradient and its momentum."""


@dataclass(frozen=True)
class Needs:
    """Bytes that a training needs.

    Attributes:
        kept: Throughout: its own weights, gradients, momentum and buffers.
        passing: During a step: what the backward passes need of the forward ones.
    """

    kept: int
    passing: int

    def fit(self, memory: int) -> int:
        """The number of such trainings, one stepping at a time, for which ``memory`` bytes do."""
        left = int(SHARE * memory) - self.passing
        return max(1, left // max(1, self.kept))


def needs(objective: Objective, batch: Batch) -> Needs:
    """Measure a throwaway ``objective`` in one forward pass on ``batch``."""
    counted: dict[int, int] = {}

    def count(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        counted[storage.data_ptr()] = storage.nbytes()
        return tensor

    trained = [p for player in objective.players().values() for p in player.parameters]
    own = {p.data_ptr() for p in trained}
    kept = UPDATED * _bytes(trained)
    kept += _bytes([t for t in objective.progress().values() if t.data_ptr() not in own])
    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        objective.train()(batch)
    return Needs(kept, sum(size for at, size in counted.items() if at not in own))


def room_for(need: Needs, device: torch.device) -> int:
    """The number of such trainings that ``device`` has memory for now."""
    return need.fit(free_memory(device))


def _bytes(tensors: Sequence[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
