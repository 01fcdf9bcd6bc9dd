"""The status of a study: what is done of it, what runs, what failed, what is missing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sakd.foundation.spans import covered
from sakd.foundation.vocabulary import DONE, FAILED
from sakd.study.live import Live
from sakd.study.plan import duration, tabulated

RUNS, MISSING = "running", "missing"
STATES = (DONE, RUNS, FAILED, MISSING)


@dataclass(frozen=True)
class State:
    """The state of one training.

    Attributes:
        id: Its name.
        state: One of `STATES`.
        error: Why it failed, or why its record cannot be read.
        live: How far it is, while it runs.
        span: When it was trained, from and to in seconds since 1970, if it is done.
    """

    id: str
    state: str
    error: str | None = None
    live: Live | None = None
    span: tuple[float, float] | None = None

    @property
    def left(self) -> float:
        """The part of the training that is left, from 0 to 1."""
        if self.state == DONE:
            return 0.0
        return 1.0 if self.live is None else 1 - self.live.epoch / max(1, self.live.epochs)


@dataclass(frozen=True)
class Part:
    """A teacher, or the cells of a pair of networks.

    Attributes:
        name: Its name.
        rows: The number of its rows.
        states: The states of its trainings.
    """

    name: str
    rows: int
    states: Sequence[State]

    def count(self, state: str) -> int:
        """Count the trainings in ``state``."""
        return sum(one.state == state for one in self.states)

    @property
    def seconds(self) -> float | None:
        """The time that is left, by the pace of the trainings that are done; None without any.

        Trainings side by side count once, and so does what trains in another process. While none
        is done, the pace is that of those that run, as if all of them were side by side.
        """
        left = sum(one.left for one in self.states)
        spans = [one.span for one in self.states if one.span is not None]
        if not left:
            return 0.0
        if spans:
            return left * covered(spans) / len(spans)
        running = [one.live.left / one.left for one in self.states if one.live and one.live.left]
        return left * max(running) / len(running) if running else None


@dataclass(frozen=True)
class Status:
    """The status of a study.

    Attributes:
        data: The name of the data.
        teachers: The teachers that are trained here.
        pairs: The pairs of networks, with their cells.
    """

    data: str
    teachers: Sequence[Part]
    pairs: Sequence[Part]

    @property
    def parts(self) -> Sequence[Part]:
        """The teachers, and then the pairs."""
        return [*self.teachers, *self.pairs]

    @property
    def seconds(self) -> float | None:
        """The time that is left; None if nothing tells it of a part."""
        each = [part.seconds for part in self.parts]
        known = [seconds for seconds in each if seconds is not None]
        return sum(known) if len(known) == len(each) else None

    def to_json(self) -> dict[str, Any]:
        """Give all of it as plain JSON; its counts are of cells, without teachers."""
        parts = [
            {"name": part.name, "rows": part.rows, "seconds_left": part.seconds}
            | {state: part.count(state) for state in STATES}
            for part in self.parts
        ]
        named = {state: [_described(one) for one in self._in(state)] for state in STATES[1:]}
        counts = {"rows": sum(part.rows for part in self.pairs), **self._counts()}
        return {"data": self.data, **counts, "seconds_left": self.seconds} | {
            "parts": parts,
            "trainings": named,
        }

    def text(self) -> str:
        """Write a line for every part, every training that runs and every one that failed."""
        rows = [
            (part.name, part.rows, len(part.states), *map(part.count, STATES), _left(part.seconds))
            for part in self.parts
        ]
        table = tabulated([("", "rows", "cells", *STATES, "left"), *rows])
        counts = self._counts()
        said = ", ".join(f"{counts[state]} {state}" for state in STATES)
        summary = f"{self.data}: {counts['cells']} cells: {said}; {_left(self.seconds)} left"
        lines = [_running(one.live) for one in self._in(RUNS) if one.live is not None]
        lines += [f"{one.id} failed: {one.error}" for one in self._in(FAILED)]
        lines += [f"{one.id}: {one.error}" for one in self._in(MISSING) if one.error]
        return "\n".join([table, *(["", *lines] if lines else []), "", summary, ""])

    def _counts(self) -> dict[str, int]:
        found = {state: sum(part.count(state) for part in self.pairs) for state in STATES}
        return {"cells": sum(found.values()), **found}

    def _in(self, state: str) -> Iterator[State]:
        return (one for part in self.parts for one in part.states if one.state == state)


def _described(one: State) -> dict[str, Any]:
    found: dict[str, Any] = {"id": one.id}
    if one.live is not None:
        found |= asdict(one.live)
    return found | ({"error": one.error} if one.error else {})


def _running(live: Live) -> str:
    since = f" since {time.strftime('%Y-%m-%d %H:%M', time.localtime(live.since))}"
    place = f"on {live.host}, process {live.process}{since if live.since else ''}"
    return f"{live.id} runs {place}: epoch {live.epoch} of {live.epochs}"


def _left(seconds: float | None) -> str:
    return "unknown" if seconds is None else duration(seconds)
