"""The scene that an objective shows to its policy."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from sakd.data import Batch
from sakd.objectives.outputs import Outputs
from sakd.routing import Scene, Sight, View
from sakd.tasks import Task


def scene_of(task: Task, student: Outputs, teacher: Outputs, batch: Batch) -> Scene:
    """Show the outputs of both networks for ``batch``, judged by the labels of ``task``."""
    judge = partial(task.losses, batch=batch)
    ours, theirs = (View(x.closed, task.embedding, judge) for x in (student, teacher))
    return Scene(ours, theirs, batch)


def positions_of(sight: Sight, task: Task, depth: int) -> Iterator[int]:
    """Yield the positions, among ``depth`` features and the logits, that ``sight`` takes in."""
    if Sight.EMBEDDINGS in sight:
        yield from task.embedded(depth)
    if Sight.FEATURES in sight:
        yield from range(depth)
    if Sight.LOGITS in sight:
        yield depth
