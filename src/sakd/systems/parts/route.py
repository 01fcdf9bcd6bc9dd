"""The route of a teacher's own training: which of its states teaches next."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from sakd.data import BatchStream
from sakd.foundation.arithmetic import without_casts
from sakd.networks import StagedNetwork
from sakd.networks.staged import in_mode
from sakd.objectives.outputs import full_precision
from sakd.systems.parts.divergence import divergence


def farthest(distances: Sequence[float], present: int, most: float) -> int:
    """Find the last state that is about as near as the ``present`` one; it is a later one.

    Args:
        distances: How far the student is from each state, in their order.
        present: The number of the state that taught it last, from 0; not that of the last one.
        most: The largest distance that will do, as a multiple of that from the present state.
    """
    near = [j for j, each in enumerate(distances) if each <= most * distances[present]]
    return max(*near, present + 1)


@torch.no_grad()
def distances(
    student: StagedNetwork, states: Sequence[StagedNetwork], stream: BatchStream, epoch: int
) -> list[float]:
    """Measure the mean KL(state || student) over the images of an epoch, all in evaluation mode."""
    total, count = [0.0] * len(states), 0
    with in_mode(student, training=False):
        for batch in stream.epoch(epoch):
            size = len(batch.labels)
            (ours,) = full_precision([student(batch.images)])
            each = [_distance(ours, state, batch.images) for state in states]
            total = [so_far + size * far for so_far, far in zip(total, each, strict=True)]
            count += size
    return [each / count for each in total]


def _distance(logits: Tensor, state: StagedNetwork, images: Tensor) -> float:
    (theirs,) = full_precision([state(images)])
    with without_casts(images.device):
        return float(divergence(logits, theirs))
