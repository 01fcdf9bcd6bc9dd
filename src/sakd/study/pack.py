"""Run trainings side by side; they share the batches and frozen teachers, and nothing else."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial

import torch

from sakd.data import Batch, BatchStream
from sakd.foundation.errors import UserError
from sakd.foundation.machine import out_of_memory
from sakd.study.beacon import Beacon
from sakd.study.beforehand import NAME, Beforehand
from sakd.study.bench import Bench
from sakd.study.checkpoints import REMEDY
from sakd.study.failures import ends_trainings, failure_of
from sakd.study.followers import average_of, tally_of
from sakd.study.live import RUNNING, sweep
from sakd.study.memory import Needs, needs, room_for
from sakd.study.recorder import Recorder
from sakd.study.resuming import fault_of, state_of
from sakd.study.shared import Teachers
from sakd.study.store import Record
from sakd.study.tracking import Tracking
from sakd.study.trainings import TEACHERS, Training
from sakd.training import Callback, Run, pretrain, train
from sakd.training.kept import Asked, kept_bytes
from sakd.training.means import NotFiniteError
from sakd.training.progress import Progress
from sakd.training.resuming import StateError
from sakd.training.whole import Share

logger = logging.getLogger(__name__)


def packs(
    trainings: Sequence[Training], bench: Bench, most: int | None
) -> Iterator[list[Training]]:
    """Divide ``trainings`` into packs that learn from the same batches.

    Args:
        trainings: The trainings to run.
        bench: The place where they run.
        most: The size of the largest pack; None for as many as memory allows.
    """
    streams: dict[str, list[Training]] = {}
    for training in trainings:
        streams.setdefault(training.learns_from, []).append(training)
    for alike in streams.values():
        size = most or _fitting(alike, bench)
        yield from (alike[first : first + size] for first in range(0, len(alike), size))


def _fitting(trainings: Sequence[Training], bench: Bench) -> int:
    """Count the ``trainings`` that memory allows, by the one that needs most."""
    if len(trainings) == 1:
        return 1
    try:
        stream = bench.stream(*trainings)
        batch = next(iter(stream.epoch(0)))
    except UserError:  # each will fail and be recorded
        return len(trainings)
    teachers = Teachers()
    measured = [_measured(training, teachers, batch, bench) for training in trainings]
    found = [one for one in measured if one is not None]
    shared = kept_bytes([asked for _, asked in found if asked is not None], stream)
    rooms = [
        room_for(replace(need, shared=shared), bench.device, graph=bench.graph) for need, _ in found
    ]
    return min(rooms, default=len(trainings))


@torch.random.fork_rng()
def _measured(
    training: Training, teachers: Teachers, batch: Batch, bench: Bench
) -> tuple[Needs, Asked | None] | None:
    """Measure a training; give also what it asks of its teacher."""
    try:
        objective = training.build(teachers.of(training)).to(bench.device)
        asked = Asked.by(objective, training.recipe.arithmetic)
        return needs(objective, batch), asked
    except Exception as error:  # the training will fail, too, and be recorded
        logger.debug("%s: its memory was not measured: %s", training.title, error)
        return None


class Pack:
    """Trainings that learn from the same batches, side by side."""

    def __init__(self, trainings: Sequence[Training], bench: Bench, progress: Progress) -> None:
        """Prepare to run ``trainings`` on ``bench``, shown by ``progress``."""
        self.trainings = trainings
        self.bench = bench
        self.progress = progress
        self.teachers = Teachers()
        self.beacons = [Beacon(training, bench) for training in trainings]
        self.tracking = [Tracking(training, bench) for training in trainings]

    @cached_property
    def stream(self) -> BatchStream:
        """The batches that all trainings learn from."""
        return self.bench.stream(*self.trainings)

    def run(self) -> list[Record]:
        """Run the trainings; record the failure of one, and go on with the others.

        Raises:
            OSError: Results cannot be read or written.
        """
        sweep(self.bench.store.root / RUNNING)
        try:
            return self._run_all()
        finally:
            for beacon, tracking in zip(self.beacons, self.tracking, strict=True):
                beacon.clear()
                tracking.close()

    def _run_all(self) -> list[Record]:
        started = time.monotonic()
        members = [self._member(number, one) for number, one in enumerate(self.trainings)]
        runs = [member for member in members if isinstance(member, Run)]
        if len(runs) > 1:
            shared = "their batches and their teacher" if self.teachers else "their batches"
            logger.info("%s: %d side by side share %s", self.progress.title, len(runs), shared)
        lack = self._train(runs)
        failures = [failure_of(member, lack) for member in members]
        seconds = time.monotonic() - started
        # Those that are tried again have the memory to themselves.
        del members, runs
        self.teachers.clear()
        again = self._again(failures)
        return [
            again.get(training.key) or self._record(training, failure, seconds)
            for training, failure in zip(self.trainings, failures, strict=True)
        ]

    def _train(self, runs: Sequence[Run]) -> Exception | None:
        """Train ``runs``; give an error that was nobody's own, as a lack of memory of a teacher."""
        try:
            if runs:
                train(runs, self.stream, graph=self.bench.graph)
        except Exception as error:
            if not ends_trainings(error):
                raise
            return error
        return None

    def _again(self, failures: Sequence[Exception | None]) -> dict[str, Record]:
        """Try those that ran out of memory again, half as many side by side; give their records.

        Raises:
            OSError: It is among the ``failures``.
        """
        lacking = []
        for training, failure in zip(self.trainings, failures, strict=True):
            if isinstance(failure, OSError):
                raise failure
            if failure is not None and out_of_memory(failure):
                failure.__traceback__ = None  # it holds the networks
                lacking.append(training)
        size = len(self.trainings) // 2
        if not lacking or not size:
            return {}
        told = "%s: out of memory with %d side by side; %d go on, at most %d side by side"
        logger.warning(told, self.progress.title, len(self.trainings), len(lacking), size)
        halves = (lacking[first : first + size] for first in range(0, len(lacking), size))
        outcomes = [Pack(half, self.bench, self.progress).run() for half in halves]
        return {record.key: record for records in outcomes for record in records}

    def _member(self, number: int, training: Training) -> Run | Exception:
        """Build and pretrain one training; give its run, or the error that ended it."""
        self.bench.store.evaluations.forget(training.id, training.key)
        try:
            return self._run(number, training)
        except OSError:
            raise
        except StateError as error:
            if not self.bench.entry(training).checkpoints.drop():
                return error
            logger.warning("%s: %s: %s", training.title, fault_of(error), REMEDY)
            return self._member(number, training)
        except Exception as error:
            return error

    def _run(self, number: int, training: Training) -> Run:
        bench, entry = self.bench, self.bench.entry(training)
        state = state_of(training, entry)
        if state is None:
            entry.clear()
        before = 0.0 if state is None else state["seconds"]
        recorder = Recorder(training, bench, before, among=len(self.trainings))
        objective = training.build(self.teachers.of(training)).to(bench.device)

        def watch(name: str) -> tuple[Callback, ...]:
            shown = self.progress.of(f"{training.title}, {name} beforehand", number)
            return *shown, Beforehand(name, objective, recorder)

        begun, state = (state, None) if state is not None and NAME in state else (None, state)
        pretrained = state is None and pretrain(
            objective, self.stream, watch, graph=bench.graph, resume=begun
        )
        recorder.average = average_of(objective, training, state)
        run = Run(
            objective,
            epochs=training.recipe.epochs,
            optimisation=training.optimisation,
            evaluate=partial(bench.validate, training),
            callbacks=(
                *([] if recorder.average is None else [recorder.average]),
                *self.progress.of(training.title, number),
                *self._shares(training),
                recorder,
                self.beacons[number],
                self.tracking[number],
            ),
            precision=training.recipe.arithmetic,
            resume=state,
        )
        run.name = training.title
        recorder.tally = tally_of(objective, training, state)
        if pretrained:
            recorder.checkpoint(run)
        return run

    def _shares(self, training: Training) -> tuple[Callback, ...]:
        """Count a training in the whole run, where it is known."""
        if (whole := self.progress.whole) is None:
            return ()
        return (Share(whole, whole.teacher if training.group == TEACHERS else whole.student),)

    def _record(self, training: Training, failure: Exception | None, seconds: float) -> Record:
        """Give the record of one training."""
        self.progress.done()
        entry, record = self.bench.entry(training), self.bench.record(training)
        if failure is None:
            return entry.finished(training.key) or record
        if isinstance(failure, NotFiniteError):
            entry.checkpoints.clear()  # or the next run would go on from such numbers
        message = f"{type(failure).__name__}: {failure}"
        trace = None if isinstance(failure, UserError) else failure
        logger.error("%s failed: %s", training.title, message, exc_info=trace)
        return entry.finish(replace(record, seconds=seconds, error=message), [])
