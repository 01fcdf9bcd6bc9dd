"""Measure the memory of a training, and find how many can run side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sakd.data import Batch
from sakd.foundation.machine import free_memory
from sakd.objectives import Objective
from sakd.training.capture.graphs import LANES

SHARE = 0.8
"""The share of the free memory that trainings may take."""

UPDATED = 3
"""Copies of every trained tensor: itself, its gradient and its momentum."""


@dataclass(frozen=True)
class Needs:
    """The memory that a training needs, in bytes.

    Attributes:
        kept: Memory for its whole time: its own weights, gradients, momentum and buffers.
        passing: Memory during a step: the tensors of forward passes that backward passes need.
        shared: Memory that all trainings use together: the kept outputs of their teachers.
    """

    kept: int
    passing: int
    shared: int = 0

    def fit(self, memory: int, lanes: int = 1, copies: int = 1) -> int:
        """Count the trainings that fit in ``memory`` bytes.

        Args:
            memory: The free bytes.
            lanes: How many trainings take a step at a time.
            copies: How often a step is held.
        """
        left, kept = int(SHARE * memory) - self.shared, max(1, self.kept)
        busy = kept + copies * self.passing
        if left < lanes * busy:
            return max(1, left // busy)
        return lanes + (left - lanes * busy) // kept


def needs(objective: Objective, batch: Batch) -> Needs:
    """Measure ``objective``, which is thrown away after it, in one forward pass on ``batch``.

    Of several phases the most that one of them needs counts.
    """
    found = [_needs(objective, batch, k) for k in range(max(1, len(objective.phases())))]
    return Needs(max(one.kept for one in found), max(one.passing for one in found))


def _needs(objective: Objective, batch: Batch, phase: int) -> Needs:
    objective.enter(phase)
    counted: dict[int, int] = {}

    def count(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        counted[storage.data_ptr()] = storage.nbytes()
        return tensor

    trained = [p for player in objective.players().values() for p in player.parameters]
    own = {p.data_ptr() for p in trained}
    kept = UPDATED * _bytes(trained)
    others = {t.data_ptr(): t for t in objective.progress().values() if t.data_ptr() not in own}
    kept += _bytes(list(others.values()))
    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        objective(objective.train().arrange(batch))
    return Needs(kept, sum(size for at, size in counted.items() if at not in own))


def room_for(need: Needs, device: torch.device, *, graph: bool) -> int:
    """Count the trainings of this ``need`` for which ``device`` has memory now.

    A ``graph`` on a GPU has lanes, each with memory of its own for the graph and outside of it.
    """
    lanes, copies = (LANES, 2) if graph and device.type == "cuda" else (1, 1)
    return need.fit(free_memory(device), lanes, copies)


def _bytes(tensors: Sequence[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
