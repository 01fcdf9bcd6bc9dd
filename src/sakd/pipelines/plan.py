"""Plan a run: find what is done, and estimate the time of what is to do."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch

from sakd.data import Parts
from sakd.foundation.console import counting
from sakd.pipelines.found import find_teacher
from sakd.pipelines.images import lessons
from sakd.pipelines.inputs import open_bench
from sakd.pipelines.keys import own_training, taught_trainings
from sakd.study.bench import Bench
from sakd.study.classes import description
from sakd.study.estimate import Estimator, Waiting
from sakd.study.grid import Row
from sakd.study.lessons import Lessons
from sakd.study.networks import described_network
from sakd.study.pace import Timer
from sakd.study.parameters import Parameters
from sakd.study.plan import Line, Plan
from sakd.study.resuming import epochs_of
from sakd.study.store import CellStore
from sakd.study.teachers import Teacher
from sakd.study.trainings import Training
from sakd.weights.saved import Weights


@dataclass(frozen=True)
class Scope:
    """The trainings of a run in the part of a study that has one split of the data.

    Attributes:
        development: The training and validation images, or others of their size.
        card: Of the data.
        parameters: Of this part of the study.
        rows: The rows of its cells.
        teachers: The networks of its teachers.
        made: Copies of the weights of teachers of the rows that were made before, by network.
    """

    development: Parts
    card: Mapping[str, Any]
    parameters: Parameters
    rows: Sequence[Row] = ()
    teachers: Sequence[str] = ()
    made: Mapping[str, Weights] = field(default_factory=dict)


@torch.random.fork_rng()
def make_plan(scopes: Sequence[Scope], cells: CellStore, limit: float) -> Plan:
    """Find what is done of a run, and estimate the time of what is to do; write nothing.

    Args:
        scopes: What the run trains, by split of the data. The splits are of one size, so steps are
            timed on the images of the first.
        cells: The store of the results.
        limit: The seconds that timing may take, not counting what must be timed at least: one kind
            of training of each part.

    Raises:
        UserError: The run would stop at once: a network of the grid cannot take the data, a file
            of weights does not fit, or a record is damaged.
    """
    benches = [open_bench(one.development, one.card, cells, one.parameters) for one in scopes]
    (teachers, pairs), bench = parts_of(scopes, cells), benches[0]
    estimator = Estimator(
        Timer(bench).pace,
        val=len(bench.val.images),
        test=sum(bench.val.card.counts["test"]),
        pack=scopes[0].parameters.pack,
    )
    lines = _lines({**teachers, **pairs}, bench, estimator, limit)
    count = len(teachers)
    return Plan(tuple(lines[:count]), tuple(lines[count:]), estimator.failures)


Rows = list[list[Training]]
"""Rows of trainings, which make a part of a plan."""


def parts_of(scopes: Sequence[Scope], cells: CellStore) -> tuple[dict[str, Rows], dict[str, Rows]]:
    """Make the trainings of a run, each once, done or not; whether they can run is not tried.

    Returns:
        The trainings by teacher, and by pair of networks.

    Raises:
        UserError: A file of weights does not fit.
    """
    teachers, pairs = dict[str, Rows](), dict[str, Rows]()
    for scope in scopes:
        images = lessons(scope.development, scope.card, scope.parameters.data)
        known = _Known(scope, images, cells)
        for parts, found in (
            (teachers, _teachers(scope, known)),
            (pairs, _pairs(scope, images, known)),
        ):
            for name, rows in found.items():
                parts.setdefault(name, []).extend(rows)
    once = _once({**teachers, **pairs})
    return {n: once[n] for n in teachers}, {n: once[n] for n in pairs}


def _once(parts: Mapping[str, Rows]) -> dict[str, Rows]:
    """Leave a training out where an earlier row has it too."""
    seen: set[tuple[str, str, str]] = set()
    found: dict[str, Rows] = {name: [] for name in parts}
    for name, rows in parts.items():
        for row in rows:
            places = {(one.group, one.id, one.key): one for one in row}
            found[name].append([one for place, one in places.items() if place not in seen])
            seen |= places.keys()
    return found


class Place(NamedTuple):
    """The place of a training in the store.

    Attributes:
        group: The id of its row, or ``teachers``.
        id: Its name.
        key: Its content key; None where that depends on a teacher that is not trained yet.
    """

    group: str
    id: str
    key: str | None


def places_of(scope: Scope, cells: CellStore) -> tuple[list[Place], list[str]]:
    """Find the places of all trainings of a part of a study, done or not.

    Returns:
        The places, and the names of the teachers that are not trained yet.

    Raises:
        UserError: A file of weights does not fit.
    """
    images = lessons(scope.development, scope.card, scope.parameters.data)
    known = _Known(scope, images, cells)
    parts = [*_teachers(scope, known).values(), *_pairs(scope, images, known).values()]
    untrained = set(known.untrained.values())
    places = [
        Place(one.group, one.id, None if one.facts.get("teacher_weights") in untrained else one.key)
        for rows in parts
        for row in rows
        for one in row
    ]
    return places, sorted(known.untrained)


class _Known:
    """The weights of teachers as far as they are there, and the trainings that give them.

    Attributes:
        untrained: The hashes of the weights that stand for those of teachers that are not trained
            yet, by the names of these.
    """

    def __init__(self, scope: Scope, images: Lessons, cells: CellStore) -> None:
        self._scope, self._images, self._cells = scope, images, cells
        self._weights: dict[str, Weights] = {}
        self.untrained: dict[str, str] = {}

    def weights(self, name: str) -> Weights:
        """Give the weights of a teacher; untrained ones, with which no cell is done, if need be."""
        if name not in self._weights:
            teacher, made = self._scope.parameters.teacher_of(name), self._scope.made.get(name)
            found = find_teacher(teacher, made, self._images, self._cells)
            self._weights[name] = weights = found or self._untrained(teacher)
            if found is None:
                self.untrained[name] = weights.sha256()
        return self._weights[name]

    def training(self, teacher: Teacher) -> Training:
        """Make the training of a teacher that is trained here."""
        above = [self.weights(other.name) for other in teacher.needs]
        return own_training(teacher, self._images, *above)

    def _untrained(self, teacher: Teacher) -> Weights:
        card = self._images.card
        known = description(teacher, card)
        return Weights(described_network(teacher.network, card, known).state_dict(), known)


def _teachers(scope: Scope, known: _Known) -> dict[str, Rows]:
    """Name the teachers that are trained here."""
    teachers = map(scope.parameters.teacher_of, scope.teachers)
    return {
        f"teacher {teacher.name}": [[known.training(teacher)]]
        for teacher in teachers
        if teacher.trained
    }


def _pairs(scope: Scope, images: Lessons, known: _Known) -> dict[str, Rows]:
    """Name the pairs of networks; their rows differ in the seed."""
    parts: dict[str, Rows] = {}
    for row in scope.rows:
        weights = known.weights(row.teacher) if row.taught else None
        trainings = taught_trainings(row, weights, images, scope.parameters)
        parts.setdefault(f"{row.teacher}/{row.student}", []).append(trainings)
    return parts


def _lines(
    parts: Mapping[str, Rows], bench: Bench, estimator: Estimator, limit: float
) -> list[Line]:
    """Count what is done of each part, and estimate the rest; share ``limit`` among the parts."""
    waiting = {name: [_waiting(row, bench) for row in rows] for name, rows in parts.items()}
    untimed = sum(map(any, waiting.values()))
    end = time.perf_counter() + limit
    lines = []
    with counting("timing", untimed) as advance:
        for name, rows in parts.items():
            total, left = sum(map(len, rows)), sum(map(len, waiting[name]))
            seconds = 0.0
            if left:
                share = (end - time.perf_counter()) / untimed
                seconds = estimator.seconds(waiting[name], share)
                untimed -= 1
                advance(1)
            lines.append(Line(name, total, total - left, seconds))
    return lines


def _waiting(row: Sequence[Training], bench: Bench) -> list[Waiting]:
    """Find the trainings of ``row`` that are not done, with the epochs that are left."""
    waiting = []
    for training in row:
        entry = bench.entry(training)
        if entry.finished(training.key, training.keep) is None:
            state = entry.checkpoints.read(training.key)
            trained, epochs = 0 if state is None else epochs_of(state), training.recipe.epochs
            waiting.append(Waiting(training, max(0, epochs - trained)))
    return waiting
