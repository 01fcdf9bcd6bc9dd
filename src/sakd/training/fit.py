"""The one training loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Unpack

import torch
from torch import nn

from sakd.data import Batch, BatchStream
from sakd.foundation.errors import require
from sakd.foundation.signals import orderly, postponed
from sakd.objectives import Objective, Outputs, answer
from sakd.objectives.branches import IN_LINE, Branches
from sakd.training.capture import Captured, Step, recorder_for
from sakd.training.kept import KeptOutputs, keep, look_up
from sakd.training.memory import memory_kept
from sakd.training.options import EpochRecord, RunOptions
from sakd.training.precision import Precision
from sakd.training.run import Run


def fit(
    objective: Objective, stream: BatchStream, *, graph: bool = False, **options: Unpack[RunOptions]
) -> list[EpochRecord]:
    """Train every player of ``objective`` on ``stream``.

    Args:
        objective: The networks and losses.
        stream: The batches of every epoch.
        graph: Whether a GPU may repeat recorded steps, see `train`.
        options: The keyword arguments of `Run`; ``epochs`` is required.

    Returns:
        One record per epoch.

    Raises:
        UserError: A loss is no longer finite, a recipe is for an unknown player, or something
            must be pretrained first.
    """
    run = Run(objective, **options)
    train([run], stream, graph=graph)
    if run.failure is not None:
        raise run.failure
    return run.history


@memory_kept()
@torch.random.fork_rng()
def train(runs: Sequence[Run], stream: BatchStream, *, graph: bool = False) -> None:
    """Train ``runs`` side by side; draw each batch once, and run each frozen teacher once on it.

    Where a request allows it (`Request.keep_mb`) and views are fixed, a teacher runs once on every
    view beforehand, and its outputs are looked up.

    On a CPU every run ends with the bits that it has alone, although others may resume at another
    epoch or step, have fewer epochs, or fail. A failure ends its own run only, which keeps the
    error as its ``failure``; an error of the stream or of a teacher is raised. A signal that asks
    to end, such as Ctrl-C, waits for the end of the step; the observers of all runs are then called
    before KeyboardInterrupt goes on. Torch's global random state, from which dropout draws, follows
    the seed of the stream and is restored at the end.

    Args:
        runs: The trainings, each with its own objective, players and callbacks.
        stream: The batches of every epoch.
        graph: Whether a GPU may record a step of all runs as a graph, and repeat it; results then
            differ by no more than rounding. A run that cannot be recorded is trained all the same.

    Raises:
        UserError: Runs share a frozen network and lay it out differently.
    """
    _check_layouts(runs)
    for run in runs:
        run.attempt(run.start, len(stream))
    with orderly():
        try:
            _train(runs, stream, graph=graph)
        except KeyboardInterrupt:
            with postponed():  # another signal would cut off what the observers write
                for run in runs:
                    if run.failure is None:
                        run.stop()
            raise


def _check_layouts(runs: Sequence[Run]) -> None:
    """Check that no frozen network is laid out in two ways, which would change its last bits."""
    layouts: dict[nn.Module, tuple[bool, bool]] = {}
    for run in runs:
        for name in run.objective.frozen:
            there = layouts.setdefault(run.objective.get_submodule(name), run.precision.layout)
            complaint = f"runs share a {name} and differ in channels_last or compile"
            require(there == run.precision.layout, f"{complaint}: give each its own copy")


def _train(runs: Sequence[Run], stream: BatchStream, *, graph: bool) -> None:
    step: Step | None = None
    kept = keep(runs, stream)
    for epoch in range(max((run.epochs for run in runs), default=0)):
        present = [run for run in runs if run.takes_part(epoch)]
        if not present:
            continue
        for run in present:
            run.attempt(run.begin_epoch, stream)
        start = min(run.taken for run in present)
        for number, batch in enumerate(stream.epoch(epoch, start=start), start):
            step = step or stepping(kept, batch.images.device, graph=graph)
            there = [run for run in present if run.failure is None and run.taken == number]
            with postponed():
                step(there, batch)
        for run in present:
            run.attempt(run.end_epoch)


def stepping(kept: Mapping[Run, KeptOutputs], device: torch.device, *, graph: bool) -> Step:
    """Choose how `train` takes steps on ``device``, with a ``graph`` or without."""
    recorder = recorder_for(device) if graph else None
    plain = partial(_step, kept)
    return plain if recorder is None else Captured(partial(_taught, kept), plain, recorder)


def _step(kept: Mapping[Run, KeptOutputs], runs: Sequence[Run], batch: Batch) -> None:
    """Let all ``runs`` learn from ``batch``."""
    for run, seen, outputs in _taught(kept, runs, batch):
        run.attempt(run.step, seen, outputs)


def _taught(
    kept: Mapping[Run, KeptOutputs],
    runs: Sequence[Run],
    batch: Batch,
    branches: Branches = IN_LINE,
) -> list[tuple[Run, Batch, Outputs | None]]:
    """Give each run the batch and the outputs of its teacher, in its precision.

    Teachers are computed apart, where there are ``branches``.
    """
    known = look_up(runs, batch, kept)

    def precision(run: Run) -> Precision:
        return run.precision

    taught: list[tuple[Run, Batch, Outputs | None]] = []
    for common, group in groupby(sorted(runs, key=lambda run: repr(run.precision)), precision):
        members, seen = list(group), common.seen(batch)
        with common.applied(seen.images.device):
            asked = [None if run in known else run.objective.request() for run in members]
            outputs = answer(asked, seen.images, branches)
        taught += [(r, seen, known.get(r, new)) for r, new in zip(members, outputs, strict=True)]
    return taught
