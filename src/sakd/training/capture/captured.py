"""Take the steps of runs from records of the steps before."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

from sakd.data import Batch
from sakd.foundation.randomness import reseed
from sakd.objectives import Objective, Outputs
from sakd.objectives.branches import Branches
from sakd.training.capture.buffers import Buffers, Form, form
from sakd.training.capture.draws import Draws
from sakd.training.capture.host import drawn_on_host
from sakd.training.capture.recorder import Action, Recorder
from sakd.training.capture.waits import Waits
from sakd.training.run import Run

REHEARSALS = 2
"""Steps before the one that is recorded."""

logger = logging.getLogger(__name__)

Step = Callable[[Sequence[Run], Batch], None]
Taught = Callable[[Sequence[Run], Batch, Branches], Sequence[tuple[Run, Batch, Outputs | None]]]
Learn = Callable[[Run, Batch, Outputs | None], None]


class Captured:
    """Steps of runs, side by side, that repeat a recorded one.

    A record is of one form of batches, and of the same runs, in the same phases and with the same
    learning rates. Two steps are taken as usual before it: the first is watched for whatever cannot
    be recorded, without `torch.compile`; in the second what is compiled is compiled. The
    third is recorded, and repeated from then on. A run that cannot be recorded takes its steps as
    usual, which one line of the log says.

    Attributes:
        refused: The runs that cannot be recorded.
    """

    def __init__(self, taught: Taught, plain: Step, recorder: Recorder) -> None:
        """Prepare to record.

        Args:
            taught: Gives each run the batch and the outputs of its teacher, see `Branches`.
            plain: Takes a step without a record.
            recorder: Records and repeats.
        """
        self.taught = taught
        self.plain = plain
        self.recorder = recorder
        self.refused: set[Run] = set()
        self._draws: dict[tuple[Run, int], Draws] = {}
        self._who: tuple[object, ...] = ()
        self._rehearsals: Counter[Form] = Counter()
        self._records: dict[Form, Record] = {}

    def __call__(self, runs: Sequence[Run], batch: Batch) -> None:
        """Let all ``runs`` learn from ``batch``."""
        recorded = [run for run in runs if run not in self.refused]
        if recorded:
            self._step(recorded, batch)
        if others := [run for run in runs if run not in recorded]:
            self.plain(others, batch)

    def _step(self, runs: Sequence[Run], batch: Batch) -> None:
        who = tuple(
            (run, run.phase, *(player.rates for player in run.players.values())) for run in runs
        )
        if who != self._who:
            self._who = who
            self._rehearsals.clear()
            self._records.clear()
        kind = form(batch)
        for run in runs:
            draws = self._draws.setdefault((run, run.phase), Draws(batch.images.device))
            draws.begin(batch.seed)
        self._rehearsals[kind] += 1
        if self._rehearsals[kind] == 1:
            self._watch(runs, batch)
        elif self._rehearsals[kind] == REHEARSALS:
            self.recorder.rehearse(lambda: self._learn(runs, batch, rehearsed))
        elif (record := self._records.get(kind) or self._record(runs, batch)) is not None:
            self._records[kind] = record
            record.repeat(batch)
        else:
            self.plain(runs, batch)
            return
        for run in runs:
            run.attempt(run.advance, len(batch.labels))

    def _watch(self, runs: Sequence[Run], batch: Batch) -> None:
        """Take a step; refuse to record the runs that could not be recorded."""

        def learn(run: Run, seen: Batch, outputs: Outputs | None) -> None:
            reseed(seen.seed, seen.images.device)
            with drawn_on_host(seen.images.device) as drawn, Waits() as own:
                run.attempt(run.learn, seen, outputs)
            differ = [] if run.uniform else ["its steps differ from one another"]
            for reason in (differ + drawn + own.found)[:1]:
                self._refuse([run], reason)

        with _uncompiled(runs), Waits() as waits:
            self.recorder.rehearse(lambda: self._learn(runs, batch, learn))
        if waits.found and not self.refused.intersection(runs):
            self._refuse(runs, waits.found[0])  # the teacher's

    def _record(self, runs: Sequence[Run], batch: Batch) -> Record | None:
        """Record a step; None if it cannot be recorded, and has changed nothing."""
        buffers, current = Buffers(batch), list(runs)

        def learn(run: Run, seen: Batch, outputs: Outputs | None) -> None:
            current[:] = [run]
            run.learn(seen, outputs)
            current[:] = runs

        generators = [one for run in runs for one in self._draws[run, run.phase].generators]
        try:
            repeat = self.recorder.record(
                lambda: self._learn(runs, buffers.batch, learn), generators
            )
        except Exception as error:
            self._draws.clear()  # a recording that ends early may leave generators in it
            self._refuse(current, f"{type(error).__name__}: {error}".splitlines()[0])
            return None
        return Record(repeat, buffers)

    def _learn(self, runs: Sequence[Run], batch: Batch, learn: Learn) -> None:
        """Let each of the ``runs`` ``learn`` from ``batch`` in its own place."""
        # The outputs of teachers stay in memory until the parts of all runs are at their end.
        taught = self.taught(runs, batch, self.recorder.teachers())
        for number, (run, seen, outputs) in enumerate(taught):
            draws = self._draws[run, run.phase]
            place = self.recorder.place(number, len(taught), draws)
            with place as branches, _taking(branches, run.objective):
                learn(run, seen._replace(source=draws), outputs)

    def _refuse(self, runs: Sequence[Run], reason: str) -> None:
        self.refused.update(runs)
        self._who = ()
        names = ", ".join(run.name for run in runs)
        logger.warning("%s: not repeated as a graph, but step by step: %s", names, reason)


@contextmanager
def _taking(branches: Branches, objective: Objective) -> Iterator[None]:
    """Let ``objective`` compute parts of its step on ``branches`` within the context."""
    objective.overlap = branches
    try:
        yield
    finally:
        del objective.overlap


def _uncompiled(runs: Sequence[Run]) -> AbstractContextManager[object]:
    """Keep `torch.compile` away: what it meets while steps are watched, it may leave for good."""
    if not any(run.precision.compiled for run in runs):
        return nullcontext()  # its import takes a second
    away: AbstractContextManager[object] = torch.compiler.set_stance("force_eager")
    return away


def rehearsed(run: Run, batch: Batch, outputs: Outputs | None) -> None:
    """Let ``run`` learn for the effect."""
    reseed(batch.seed, batch.images.device)
    run.attempt(run.learn, batch, outputs)


class Record:
    """A recorded step, and the memory from which it takes its batch."""

    def __init__(self, repeat: Action, buffers: Buffers) -> None:
        """Hold what `Recorder.record` gave for ``buffers``."""
        self._repeat = repeat
        self._buffers = buffers

    def repeat(self, batch: Batch) -> None:
        """Take the step on ``batch``."""
        self._buffers.load(batch)
        self._repeat()
