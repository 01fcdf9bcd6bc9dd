"""The training loop. There is one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Unpack

import torch

from sakd.data import Batch, BatchStream
from sakd.objectives import Objective, Outputs, answer
from sakd.training.precision import Precision
from sakd.training.run import EpochRecord, Run, RunOptions


def fit(
    objective: Objective, stream: BatchStream, **options: Unpack[RunOptions]
) -> list[EpochRecord]:
    """Train every player of ``objective`` on ``stream``.

    Args:
        objective: Networks and losses.
        stream: The batches of every epoch.
        options: Of `Run`: ``epochs``, and whatever else is wanted.

    Returns:
        One record per epoch.

    Raises:
        UserError: A loss is no longer finite, or see `Run`.
    """
    run = Run(objective, **options)
    train([run], stream)
    if run.failure is not None:
        raise run.failure
    return run.history


@torch.random.fork_rng()
def train(runs: Sequence[Run], stream: BatchStream) -> None:
    """Train ``runs`` side by side: each batch is drawn once, each frozen teacher asked once.

    On a CPU every run ends with the same bits as alone, whatever the others do: it may have
    started earlier, have fewer epochs, or fail. A failure ends its run alone, which keeps the
    error as its ``failure``. Torch's global random state, which dropout draws from, follows the
    seed of the stream and is put back in the end.

    Args:
        runs: The trainings, each with its own objective, players and callbacks.
        stream: The batches of every epoch.
    """
    for run in runs:
        _attempt(run, run.start, len(stream))
    for epoch in range(max((run.epochs for run in runs), default=0)):
        present = [run for run in runs if run.takes_part(epoch)]
        if not present:
            continue
        for run in present:
            _attempt(run, run.begin_epoch)
        for batch in stream.epoch(epoch):
            going = [run for run in present if run.failure is None]
            for run, outputs in _taught(going, batch):
                _attempt(run, run.step, batch, outputs)
        for run in present:
            _attempt(run, run.end_epoch)


def _attempt(run: Run, action: Callable[..., None], *arguments: object) -> None:
    """Let ``run`` do something, unless it has failed."""
    if run.failure is not None:
        return
    try:
        action(*arguments)
    except Exception as error:  # whatever it is, it is the failure of this run alone
        run.failure = error


def _taught(runs: Sequence[Run], batch: Batch) -> list[tuple[Run, Outputs | None]]:
    """Each run with the outputs of its teacher, one forward pass per teacher and precision."""

    def precision(run: Run) -> Precision:
        return run.precision

    pairs: list[tuple[Run, Outputs | None]] = []
    for common, group in groupby(sorted(runs, key=lambda run: repr(run.precision)), precision):
        members = list(group)
        with common.applied(batch.images.device):
            outputs = answer([run.objective.request() for run in members], batch.images)
        pairs += zip(members, outputs, strict=True)
    return pairs
