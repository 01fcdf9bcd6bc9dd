"""Time a few steps of a training."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import median

import torch

from sakd.data import Batch, BatchStream, Images, Prepared
from sakd.data.batches.stream import batch_sizes
from sakd.foundation.machine import settle
from sakd.objectives import Objective, Outputs, answer
from sakd.objectives.branches import Branches
from sakd.study.bench import Bench
from sakd.study.shared import Teachers
from sakd.study.trainings import Training
from sakd.training import Run
from sakd.training.capture import Captured, recorder_for
from sakd.training.capture.captured import REHEARSALS
from sakd.training.kept import Asked, kept_bytes
from sakd.training.memory import memory_kept

TIMED = 3
"""Calls that are timed where there is time for them, after one that warms up."""

EARLY = 4
"""The first epochs of a phase, whose beginnings are timed: not all begin with the same work."""

MEASURED = 64
"""Validation images on which the time of measuring is taken."""


@dataclass(frozen=True)
class Pace:
    """The seconds that the parts of a training take.

    Attributes:
        step: An update by one batch, without the forward pass of a frozen teacher, and its share
            of what precedes an epoch.
        teacher: That forward pass, which the trainings of a pack share; 0 without such a teacher.
        views: The views for which its outputs are kept; 0 if it runs in every step.
        measuring: Measuring the network on one image.
        beforehand: Whatever is trained first, as a whole.
    """

    step: float
    teacher: float = 0.0
    measuring: float = 0.0
    beforehand: float = 0.0
    views: int = 0


@dataclass(frozen=True)
class Watch:
    """A watch for things that are done again and again.

    Attributes:
        patience: The seconds after which nothing is done once more.
        settle: Waits for the end of what was begun.
        clock: Tells the seconds.
    """

    patience: float
    settle: Callable[[], object] = lambda: None
    clock: Callable[[], float] = time.perf_counter

    def typical(self, action: Callable[[], object]) -> float:
        """Give the median of a few calls; the first warms up and counts only if it is the only one.

        >>> ticks = iter([0, 9, 9, 10, 10, 12, 12, 13])
        >>> Watch(patience=60, clock=lambda: next(ticks)).typical(lambda: None)
        1
        """
        seconds: list[float] = []
        while len(seconds) <= TIMED and (not seconds or sum(seconds) < self.patience):
            started = self.clock()
            action()
            self.settle()
            seconds.append(self.clock() - started)
        return median(seconds[1:] or seconds)


class Timer:
    """Times trainings; those of one teacher share a network of it, and its forward pass."""

    def __init__(self, bench: Bench) -> None:
        """Time on ``bench``."""
        few = Prepared(_first(bench.val.images, MEASURED), bench.val.card)
        self._bench = replace(bench, val=few)
        self._teachers = Teachers()
        self._asked: dict[str | None, float] = {}
        self._measured: dict[str, float] = {}

    def pace(self, training: Training, patience: float) -> Pace:
        """Build ``training``, time its parts on the first of its images, and throw it away.

        Networks are not compiled for it, which would take longer than all the rest. The global
        random state of torch moves on. Whatever would end such a training is raised.

        Args:
            training: The training.
            patience: The seconds after which no part is timed once more.
        """
        watch = Watch(patience, partial(settle, self._bench.device))
        objective = training.build(self._teachers.of(training)).to(self._bench.device)
        stream, views = self._short(training), self._views(training, objective)
        beforehand = self._beforehand(objective, stream, watch) * steps_of(training)
        run = Run(
            objective,
            epochs=training.recipe.epochs,
            optimisation=training.optimisation,
            precision=replace(training.recipe.arithmetic, compiled=False),
        )
        run.name = training.title
        step = self._steps(run, stream, watch, training.taught_by)
        teacher = self._asked.get(training.taught_by, 0.0)
        measuring = self._measuring(training, objective, watch)
        return Pace(step, teacher, measuring, beforehand, views)

    def _views(self, training: Training, objective: Objective) -> int:
        """Count the views for which the outputs of a frozen teacher are kept."""
        asked = Asked.by(objective, training.recipe.arithmetic)
        if asked is None:
            return 0
        stream = self._bench.stream(training)
        return stream.fixed if kept_bytes([asked], stream) else 0

    def _short(self, training: Training) -> BatchStream:
        """Give a stream of one batch."""
        few = replace(training, images=_first(training.images, training.recipe.batch_size))
        return self._bench.stream(few)

    def _beforehand(self, objective: Objective, stream: BatchStream, watch: Watch) -> float:
        """Time one step of every epoch of whatever is trained first."""
        seconds = 0.0
        (batch,) = stream.epoch(0)
        for problem in objective.pretrainings().values():
            with problem.thawed():
                run = Run(problem.train(), epochs=problem.epochs)
                seconds += problem.epochs * watch.typical(partial(run.step, batch))
        return seconds

    @memory_kept()
    def _steps(self, run: Run, stream: BatchStream, watch: Watch, taught_by: str | None) -> float:
        """Time a step of each phase; give their mean over the epochs."""
        run.start(1)
        seconds = 0.0
        for phase, span in enumerate(run.spans):
            run.enter(phase)
            run.objective.train()
            seconds += len(span) * self._step(run, stream, watch, taught_by)
        return seconds / run.epochs

    def _step(self, run: Run, stream: BatchStream, watch: Watch, taught_by: str | None) -> float:
        """Time a step and, once for each, the forward pass of a teacher.

        A step has its share of the beginning of an epoch, as if all began like the first few.
        """
        (batch,) = stream.epoch(0)
        seen, request = run.precision.seen(batch), run.objective.request()
        outputs: list[Outputs | None] = []

        def ask() -> None:
            with run.precision.applied(self._bench.device):
                outputs[:] = answer([request], seen.images)

        early = run.spans[run.phase][:EARLY]

        def begin() -> None:
            with run.precision.applied(self._bench.device):
                for epoch in reversed(early):
                    run.objective.begin_epoch(epoch, run.epochs, stream)

        begin()
        if request is None or taught_by in self._asked:
            ask()
        else:
            self._asked[taught_by] = watch.typical(ask)
        step = self._stepping(run, seen, *outputs)
        return watch.typical(step) + watch.typical(begin) / len(early)

    def _stepping(self, run: Run, batch: Batch, outputs: Outputs | None) -> Callable[[], None]:
        """Give a step of ``run``, which a GPU repeats from a record."""
        recorder = recorder_for(self._bench.device) if self._bench.graph else None
        if recorder is None:
            return partial(run.step, batch, outputs)

        def taught(
            runs: Sequence[Run], seen: Batch, _branches: Branches
        ) -> list[tuple[Run, Batch, Outputs | None]]:
            return [(one, seen, outputs) for one in runs]

        def plain(runs: Sequence[Run], seen: Batch) -> None:
            for one in runs:
                one.attempt(one.step, seen, outputs)

        captured = Captured(taught, plain, recorder)

        def step() -> None:
            captured([run], batch)
            if run.failure is not None:
                raise run.failure

        for _ in range(REHEARSALS + 1):  # the last is recorded
            step()
        return step

    def _measuring(self, training: Training, objective: Objective, watch: Watch) -> float:
        """Time, once for each network, how long it takes to measure it on one image."""
        if training.network not in self._measured:
            every = replace(training, classes=())  # few images may have none of its classes
            measure = partial(self._bench.validate, every, objective.network)
            seconds = watch.typical(measure)
            self._measured[training.network] = seconds / len(self._bench.val.images)
        return self._measured[training.network]


def steps_of(training: Training) -> int:
    """Count the steps of an epoch."""
    return len(batch_sizes(len(training.images), training.recipe.batch_size))


def _first(images: Images, count: int) -> Images:
    return images.subset(torch.arange(min(count, len(images))))
