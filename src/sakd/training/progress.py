"""Show the progress of trainings: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import ClassVar, Self

from rich.progress import Progress as Bars
from rich.progress import TaskID

from sakd.foundation.console import progress_bars
from sakd.routing.collapse import collapse, transfer_collapse
from sakd.routing.rates import EFFECTIVE_SHARE, GATE_RATE, TRANSFER_RATE
from sakd.training.callback import Callback
from sakd.training.run import Run
from sakd.training.whole import Whole

logger = logging.getLogger(__name__)


class Progress:
    """Count the trainings of a group: ``with Progress("students", 9) as progress: ...``.

    Attributes:
        whole: The run that the groups are part of, whose bar takes the place of the group's; None
            where no run has said how much it trains.
    """

    whole: ClassVar[Whole | None] = None

    def __init__(self, title: str, total: int) -> None:
        """Count to ``total`` trainings of the group called ``title``."""
        self.title = title
        self.total = total
        self.ended = 0
        self.bars: Bars | None = None
        self.cells: TaskID | None = None

    def __enter__(self) -> Self:
        """Show the bars, on a terminal."""
        self.bars = progress_bars()
        if self.bars is not None:
            self.bars.start()
            self.cells = self._add_cells(self.bars)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the bars."""
        if self.bars is not None:
            self.bars.stop()
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            logger.info("interrupted; finished work is kept: the same command goes on from here")

    def _add_cells(self, bars: Bars) -> TaskID:
        """Add the bar over all trainings: of the whole run, where it is known."""
        if self.whole is None:
            return bars.add_task(self.title, total=self.total, note="")
        return bars.add_task(
            "all trainings",
            total=self.whole.total,
            completed=self.whole.ended,
            left=self.whole.left,
            note=self.title,
        )

    def done(self) -> None:
        """Count one more training, which has ended now or had ended before."""
        self.ended += 1
        if self.whole is not None:
            self.whole.ended += 1
        if self.bars is not None and self.cells is not None:
            self.bars.advance(self.cells)
            for task in self.bars.task_ids:
                if task != self.cells:
                    self.bars.remove_task(task)

    def of(self, name: str, number: int = 0) -> tuple[Callback, ...]:
        """Give the callbacks that show the training called ``name``.

        Args:
            name: The name of the training.
            number: Its place among those that run side by side, from 0; the first of them alone
                shows its steps and logs lines before its end.
        """
        place = f"{self.title} {self.ended + 1 + number}/{self.total}: {name}"
        if self.bars is None:
            return (Lines(place) if number == 0 else Lines(place, every_seconds=math.inf),)
        bars = EpochBars(self.bars, name, steps=number == 0)
        return bars, Lines(place, every_seconds=math.inf)


class EpochBars(Callback):
    """A bar over the epochs of a training and one over the steps of an epoch."""

    def __init__(self, bars: Bars, name: str, *, steps: bool = True) -> None:
        """Add bars for the training called ``name`` to ``bars``; show ``steps`` if asked to."""
        self.bars = bars
        self.name = name
        self.shown = steps

    def on_start(self, run: Run) -> None:
        """Add the bars."""
        done = len(run.history)
        self.epochs = self.bars.add_task(
            self.name, total=run.epochs, completed=done, before=done, note=""
        )
        self.steps = self.bars.add_task(
            "steps", total=run.steps, completed=run.taken, note="", visible=self.shown
        )

    def on_step(self, run: Run) -> None:
        """Advance the steps."""
        self.bars.advance(self.steps)

    def on_epoch(self, run: Run) -> None:
        """Advance the epochs; rates have the note of the steps, where that is shown."""
        measures, choices = _measures(run), _choices(run, _percent)
        above = measures if self.shown else measures + choices
        self.bars.update(self.epochs, advance=1, note=", ".join(above))
        self.bars.reset(self.steps, note=", ".join(choices))


class Lines(Callback):
    """Log a line now and then, and one at the end."""

    def __init__(self, place: str, every_seconds: float = 15.0) -> None:
        """Start every line with ``place``; wait ``every_seconds`` between two of them."""
        self.place = place
        self.every_seconds = every_seconds

    def on_start(self, run: Run) -> None:
        """Start the clock."""
        self.started = self.said = time.monotonic()
        self.skipped = len(run.history)

    def on_epoch(self, run: Run) -> None:
        """Log a line if one is due."""
        now, done = time.monotonic(), len(run.history)
        if done < run.epochs and now - self.said < self.every_seconds:
            return
        self.said = now
        if done == run.epochs:
            clock = f"{now - self.started:.0f} s"
        else:
            left = (now - self.started) / (done - self.skipped) * (run.epochs - done)
            clock = f"{left:.0f} s left"
        place = f"{self.place}: epoch {done}/{run.epochs}"
        logger.info(", ".join(filter(None, (place, describe(run), clock))))


def describe(run: Run) -> str:
    """Describe the last epoch in a few words: its phase, measures, and a collapse of the policy."""
    return ", ".join([*_measures(run), *_choices(run, _fractions)])


def _measures(run: Run) -> list[str]:
    """Name the phase of the last epoch, and its measures."""
    phases = run.objective.phases()
    words = [phases[run.phase].name] if phases else []
    for name, value in run.history[-1].items():
        if name.startswith("val_"):
            whose = name.split("_", 2)[2:]  # after val_top1, the name of a further network
            words.append(f"{' '.join(['val', *whose])} {100 * value:.2f} %")
    return words


def _choices(run: Run, shown: Callable[[Iterable[float]], str]) -> list[str]:
    """Name the rates of the last epoch as they are to be ``shown``, and what has collapsed."""
    record, words = run.history[-1], []
    chosen = {"gate": GATE_RATE, "effective": EFFECTIVE_SHARE} if run.objective.chooses else {}
    for title, prefix in {**chosen, "transfer": TRANSFER_RATE}.items():
        rates = [rate for name, rate in record.items() if name.startswith(prefix)]
        words += [f"{title} {shown(rates)}"] if rates else []
    states = {"policy": collapse(record) if chosen else "", "transfer": transfer_collapse(record)}
    return words + [f"{what} collapsed to {state}" for what, state in states.items() if state]


def _fractions(rates: Iterable[float]) -> str:
    return "/".join(f"{rate:.2f}" for rate in rates)


def _percent(rates: Iterable[float]) -> str:
    return f"{'/'.join(f'{100 * rate:.0f}' for rate in rates)} %"
