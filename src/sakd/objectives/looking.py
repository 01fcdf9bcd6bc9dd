"""The features that a distiller may look at before an epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor

from sakd.data import Batch
from sakd.distillers import Distiller, Side
from sakd.networks import StagedNetwork
from sakd.networks.staged import in_mode
from sakd.objectives.outputs import Outputs


@torch.no_grad()
def features_for(
    distiller: Distiller,
    student: StagedNetwork,
    teacher: StagedNetwork,
    batches: Callable[[], Iterable[Batch]],
    arithmetic: torch.autocast,
) -> Iterator[tuple[list[Tensor], list[Tensor]]]:
    """Yield the features that ``distiller`` compares, of student and teacher, batch by batch.

    Args:
        distiller: The distiller that looks.
        student: The student; it runs in evaluation mode, and returns to its own.
        teacher: The teacher likewise.
        batches: Gives the images to look at.
        arithmetic: The automatic casts under which both run.
    """
    for batch in batches():
        with arithmetic, in_mode(student, training=False), in_mode(teacher, training=False):
            ours, theirs = (
                Outputs.of(
                    network, batch.images, side, unrectified=side in distiller.unrectified
                ).shown_to(distiller)
                for network, side in ((student, Side.STUDENT), (teacher, Side.TEACHER))
            )
        yield ours, theirs
