"""The students that a study could ship: what each reaches, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from sakd.foundation.vocabulary import NONE
from sakd.reporting.tables.columns import TEST, VAL
from sakd.reporting.tables.formats import number
from sakd.reporting.tables.spread import Spread

PARAMETERS, MACS, LATENCY, FILE = "parameters", "macs", "latency_b1_p50_ms", "file_bytes"


class Cost(NamedTuple):
    """A cost that a budget may limit: the words after an amount of it, and its decimals."""

    words: str
    digits: int = 0

    def amount(self, value: float) -> str:
        """Write an amount of the cost in words."""
        words = self.words.removesuffix("s") if value == 1 else self.words
        return f"{number(value, self.digits)} {words}"


COSTS: Mapping[str, Cost] = {
    PARAMETERS: Cost("parameters"),
    MACS: Cost("MACs"),
    LATENCY: Cost("ms for an image", 2),
    FILE: Cost("bytes"),
}
"""The costs that a budget may limit, by their columns."""

_ALONE = ["dataset", "student", "distiller", "policy"]
_TAUGHT = ["teacher", *_ALONE]


@dataclass(frozen=True)
class Candidate:
    """A method for a student, over its seeds.

    Attributes:
        dataset: The data.
        teacher: The teacher's network; `NONE` for a student that is trained alone.
        student: The student's network.
        distiller: The distiller; `NONE` without a teacher.
        policy: The policy; `NONE` without a teacher.
        val: Its accuracy on validation, after the last epoch.
        test: Its accuracy on test, after the last epoch.
        costs: What one network costs, by the columns of `COSTS`; the largest over the seeds.
        cell: The finished cell that is best on validation, the first of equals.
        cell_test: The accuracy of that cell on test.
        unfinished: The number of seeds without a result.
    """

    dataset: str
    teacher: str
    student: str
    distiller: str
    policy: str
    val: Spread
    test: Spread
    costs: Mapping[str, float]
    cell: str
    cell_test: float
    unfinished: int

    @property
    def name(self) -> str:
        """Name the method in words."""
        if self.distiller == NONE:
            return f"{self.student} alone"
        return f"{self.student} by {self.distiller}, {self.policy}, from {self.teacher}"

    def number(self, column: str) -> str:
        """Write a cost as a number."""
        return number(self.costs[column], COSTS[column].digits)

    def cost(self, column: str) -> str:
        """Write a cost in words."""
        return COSTS[column].amount(self.costs[column])


def candidates(cells: pd.DataFrame) -> list[Candidate]:
    """List the methods with a finished cell, over all pairs.

    A student alone that is listed under several teachers is the same network, and counts once.

    Args:
        cells: The results, see `sakd.reporting.tables.frames.prepared`.
    """
    alone = cells["distiller"] == NONE
    trained = cells.assign(teacher=cells["teacher"].mask(alone, NONE))
    trained = trained.drop_duplicates([*_TAUGHT, "seed"])
    groups = trained.groupby(_TAUGHT, sort=False)
    return [
        _candidate(dict(zip(_TAUGHT, names, strict=True)), group)
        for names, group in groups
        if group["finished"].any()
    ]


def _candidate(named: Mapping[str, str], group: pd.DataFrame) -> Candidate:
    finished = group[group["finished"]].sort_values("seed")
    best = finished.loc[finished[VAL].fillna(-1).idxmax()]
    costs = {name: float(finished[name].max()) for name in COSTS}
    return Candidate(
        **named,
        val=Spread.of(finished[VAL]),
        test=Spread.of(finished[TEST]),
        costs=costs,
        cell=str(best["cell"]),
        cell_test=float(best[TEST]),
        unfinished=len(group) - len(finished),
    )
