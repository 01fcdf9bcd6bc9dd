"""Estimate how long trainings take, from a few timed steps of some of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from sakd.study.pace import Pace, steps_of
from sakd.study.trainings import Training

GOLDEN = 0.618
"""The multiples of it, without their whole parts, spread evenly."""


@dataclass(frozen=True)
class Waiting:
    """A training that is not done.

    Attributes:
        training: The training.
        epochs: The epochs that are left.
    """

    training: Training
    epochs: int


@dataclass
class Estimator:
    """Estimates the time of trainings.

    Attributes:
        pace: Times a training, with the seconds after which no part is timed once more.
        val: The number of validation images, which are measured after every epoch.
        test: The number of test images, which are measured with all weights that are kept.
        pack: The most trainings side by side; None for all of a row, as if memory allowed it.
        clock: Tells the seconds.
        failures: The errors of trainings that could not be timed, by their names; filled as they
            are met.
    """

    pace: Callable[[Training, float], Pace]
    val: int
    test: int
    pack: int | None = None
    clock: Callable[[], float] = time.perf_counter
    failures: dict[str, str] = field(default_factory=dict)

    def seconds(self, rows: Sequence[Sequence[Waiting]], limit: float) -> float:
        """Estimate the time of ``rows``, each trained in packs.

        Args:
            rows: Rows of one pair of networks; those of different seeds take equally long.
            limit: Seconds after which no other kind of training is timed. The kinds that are left
                then are taken to be as fast as the others on average; one at least is timed.
        """
        kinds: dict[str, Training] = {}
        for training in (one.training for row in rows for one in row):
            kinds.setdefault(training.kind, training)
        paces = self._paces(kinds, limit)
        return sum(self._row(row, paces) for row in rows)

    def _paces(self, kinds: Mapping[str, Training], limit: float) -> Mapping[str, Pace]:
        """Give the pace of each kind; none for those that fail."""
        timed: dict[str, Pace] = {}
        failed: set[str] = set()
        end = self.clock() + limit
        for kind in _mixed(list(kinds)):
            if timed and self.clock() >= end:
                break
            training = kinds[kind]
            try:
                timed[kind] = self.pace(training, limit / len(kinds))
            except Exception as error:  # it would end this training, and no other
                failed.add(kind)
                reason = " ".join(str(error).split())
                self.failures[training.title] = f"{type(error).__name__}: {reason}"
        untimed = {kind for kind in kinds if kind not in timed.keys() | failed}
        return timed | dict.fromkeys(untimed, _average(list(timed.values())))

    def _row(self, row: Sequence[Waiting], paces: Mapping[str, Pace]) -> float:
        """Add up a row without those that fail: each by itself, and their teacher per pack."""
        going = [one for one in row if one.training.kind in paces]
        size = self.pack or max(1, len(going))
        packs = [going[first : first + size] for first in range(0, len(going), size)]
        own = sum(self._alone(one, paces[one.training.kind]) for one in going)
        return own + sum(_teacher(pack, paces) for pack in packs)

    def _alone(self, one: Waiting, pace: Pace) -> float:
        """Estimate a training without what it shares."""
        recipe = one.training.recipe
        kept = max(1, min(recipe.keep_epochs, recipe.epochs)) + 1  # epochs, and the best one
        images = one.epochs * self.val + kept * self.test
        steps = one.epochs * steps_of(one.training)
        beforehand = pace.beforehand if one.epochs == recipe.epochs else 0.0
        return steps * pace.step + images * pace.measuring + beforehand


def _teacher(pack: Sequence[Waiting], paces: Mapping[str, Pace]) -> float:
    """Estimate the time of the frozen teacher of a pack."""
    return max((_taught(one, paces[one.training.kind]) for one in pack), default=0.0)


def _taught(one: Waiting, pace: Pace) -> float:
    """Estimate the time of the frozen teacher of one training."""
    passes = one.epochs * steps_of(one.training)
    if pace.views:
        passes = math.ceil(pace.views / one.training.recipe.batch_size)
    return passes * pace.teacher


def _mixed(kinds: Sequence[str]) -> list[str]:
    """Order ``kinds`` so that the first of them are spread over all."""
    places = range(1, len(kinds) + 1)
    return [kind for _, kind in sorted(zip((p * GOLDEN % 1 for p in places), kinds, strict=True))]


def _average(paces: Sequence[Pace]) -> Pace:
    """Average the paces of trainings with a teacher, or of all where none has one."""
    chosen = [pace for pace in paces if pace.teacher] or paces
    if not chosen:
        return Pace(0.0)
    parts = zip(*((p.step, p.teacher, p.measuring, p.beforehand) for p in chosen), strict=True)
    step, teacher, measuring, beforehand = map(fmean, parts)
    return Pace(step, teacher, measuring, beforehand, max(p.views for p in chosen))
