"""The plan of a study: what is done, what is to do, and about how long it will take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sakd.training.whole import Whole

MINUTE, HOUR, DAY = 60, 3600, 86400


@dataclass(frozen=True)
class Line:
    """A part of a plan.

    Attributes:
        name: A teacher, or a pair of networks.
        total: The number of its trainings.
        done: How many of them are done.
        seconds: The estimated time of the others.
    """

    name: str
    total: int
    done: int
    seconds: float = 0.0

    @property
    def left(self) -> int:
        """The number of trainings to do."""
        return self.total - self.done


@dataclass(frozen=True)
class Plan:
    """The trainings of a study that are done, and those that are to do.

    Attributes:
        teachers: A line for each teacher that is trained here.
        pairs: A line for each pair of networks: its cells.
        failures: The errors of trainings that would fail, by their names.
    """

    teachers: tuple[Line, ...]
    pairs: tuple[Line, ...]
    failures: Mapping[str, str] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """The estimated time of all that is to do."""
        return sum(line.seconds for line in self.teachers + self.pairs)

    def whole(self) -> Whole:
        """Start to count the trainings of the run that was planned."""
        total = sum(line.total for line in self.teachers + self.pairs)
        return Whole(total, _each(self.teachers), _each(self.pairs), self.seconds)

    def summary(self) -> str:
        """Tell the whole plan in a line."""
        cells, done = (sum(getattr(pair, n) for pair in self.pairs) for n in ("total", "done"))
        first = sum(teacher.left for teacher in self.teachers)
        parts = [f"{done} done, {cells - done} to do"] if cells != done else ["all done"]
        if first:
            parts.append(f"{first} teacher{'' if first == 1 else 's'} to train")
        left = f"; about {duration(self.seconds)} here" if first or cells != done else ""
        return f"{cells} cell{'' if cells == 1 else 's'}: {', '.join(parts)}{left}"

    def table(self) -> str:
        """List the parts, a line each."""
        rows = [
            (line.name, line.total, line.done, line.left, duration(line.seconds))
            for line in self.teachers + self.pairs
        ]
        return tabulated([("", "cells", "done", "to do", "time"), *rows])


def tabulated(rows: Sequence[Sequence[object]]) -> str:
    """Write lines of columns: names to the left, numbers to the right."""
    widths = [max(len(str(cell)) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join(
        f"{name:<{widths[0]}}  "
        + "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True))
        for name, *cells in rows
    )


def _each(lines: Sequence[Line]) -> float:
    """Give the estimated seconds of one training that is to do."""
    return sum(line.seconds for line in lines) / max(1, sum(line.left for line in lines))


def duration(seconds: float) -> str:
    """Say how long something takes, as exactly as an estimate deserves.

    >>> [duration(seconds) for seconds in (0, 0.2, 7.4, 43, 700)]
    ['-', '1 s', '7 s', '45 s', '12 min']
    >>> [duration(hours * HOUR) for hours in (3.3, 30, 300, 3000)]
    ['3 h 20 min', '30 h', '12 days', '120 days']
    """
    if not seconds:
        return "-"
    for unit, step, until, name in UNITS:
        rounded = max(1, round(seconds / unit / step) * step)
        if rounded < until:
            return name.format(rounded, *divmod(rounded, 60)).replace(" 0 min", "")
    return f"{float(f'{seconds / DAY:.2g}'):,.0f} days"


UNITS = (
    (1, 1, 10, "{} s"),
    (1, 5, 100, "{} s"),
    (MINUTE, 1, 60, "{} min"),
    (MINUTE, 10, 600, "{1} h {2} min"),
    (HOUR, 1, 72, "{} h"),
)
"""Seconds of a unit, the step of rounding, where the next line begins, and the words."""
