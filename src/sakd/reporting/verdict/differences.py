"""The differences that a study asks about, with one family of tests for each table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from sakd.evidence import LEVEL, holm, read
from sakd.foundation.vocabulary import NONE
from sakd.reporting.tables import formats
from sakd.reporting.tables.contrasts import Contrast, Difference, difference, duels, pooled
from sakd.reporting.tables.frames import compared_policies
from sakd.reporting.tables.kinds import REFERENCE
from sakd.reporting.tables.routers import Tally
from sakd.reporting.tables.verdicts import ADAPTIVE, QUESTIONS, answer, bounded, collapsed
from sakd.reporting.verdict.part import Part
from sakd.routing import POLICIES
from sakd.routing.random import Random

POOLED = "all"
"""In the place of a distiller: the mean over all of them, seed by seed."""

RANDOM = POLICIES.name_of(Random)

THINNING = f"the choice over a coin ({ADAPTIVE} - {RANDOM})"
"""The question of this study beyond those of every study: is any thinning as good?"""

_SMALLEST = 0.001
"""The least p-value that is written out."""


class Asked(NamedTuple):
    """A difference under one teacher.

    Attributes:
        teacher: Its name.
        subject: The question.
        contrast: The two policies.
        distiller: A method, or `POOLED`.
        found: The difference.
        tally: What became of the routers of the first policy.
    """

    teacher: str
    subject: str
    contrast: Contrast
    distiller: str
    found: Difference
    tally: Tally

    @property
    def title(self) -> str:
        """The subtraction in words."""
        second = "student alone" if self.contrast.second == NONE else self.contrast.second
        return f"{self.contrast.first} - {second}"


def asked(part: Part, contrasts: Mapping[str, Contrast], *, each: bool) -> list[Asked]:
    """Estimate ``contrasts``, by subject, under every teacher: ``each`` distiller's, or pooled.

    Those for which cells are missing are left out.
    """
    return [
        found
        for pair in part.pairs
        for subject, contrast in contrasts.items()
        for found in _of(part, pair, subject, contrast, each=each)
    ]


def _of(
    part: Part, pair: tuple[str, str, str], subject: str, contrast: Contrast, *, each: bool
) -> Iterator[Asked]:
    outcomes = part.of_pair(pair)
    found = duels(outcomes.cells, contrast)
    groups = found.groupby("distiller", sort=False) if each else [(POOLED, pooled(found))]
    for distiller, group in groups:
        if len(group):
            tally = Tally.of(outcomes.routers, group["first"])
            measured = difference(outcomes, group)
            yield Asked(pair[1], subject, contrast, str(distiller), measured, tally)


def questions(part: Part, *, each: bool = False) -> list[Asked]:
    """Estimate the answers to the questions of a study under every teacher."""
    return asked(part, {**QUESTIONS, THINNING: Contrast(ADAPTIVE, RANDOM)}, each=each)


def others(part: Part) -> list[Asked]:
    """Estimate every policy against plain distillation under every teacher."""
    names = compared_policies(part.cells)
    return asked(part, {name: Contrast(name, REFERENCE) for name in names}, each=False)


def adjusted(family: Iterable[Asked]) -> list[float]:
    """Adjust the p-values of a ``family`` by Holm; NaN where there are too few seeds."""
    p = [float(one.found.estimate.p) if one.found.enough else np.nan for one in family]
    return [float(value) for value in holm(np.array(p, dtype=float))]


def question_table(family: list[Asked], margin: float) -> pd.DataFrame:
    """Show every difference of a family, in points, with what it says after Holm's adjustment."""
    lines = []
    for one, p in zip(family, adjusted(family), strict=True):
        estimate, known = one.found.estimate, one.found.enough and one.found.estimate.known
        lines.append(
            {
                "teacher": one.teacher,
                "difference": one.title,
                "distiller": one.distiller,
                "points": formats.points(float(estimate.mean)),
                "95 % interval": formats.interval(*map(float, estimate.interval())),
                "p (Holm)": _p(p),
                "no larger than": bounded(one.found) if known else formats.NOTHING,
                "seeds": str(one.found.seeds),
                "reading": _reading(one, p, margin),
            }
        )
    return pd.DataFrame(lines)


def _p(value: float) -> str:
    if np.isnan(value):
        return formats.NOTHING
    return f"< {_SMALLEST}" if value < _SMALLEST else f"{value:.3f}"


def _reading(one: Asked, p: float, margin: float) -> str:
    return read(one.found.estimate, margin, p).value if one.found.enough else "too few seeds"


def policy_table(part: Part) -> pd.DataFrame:
    """Show every policy less plain distillation: a column for each teacher.

    A star is a difference after Holm's adjustment for the whole table.
    """
    family = others(part)
    shown: dict[str, dict[str, str]] = {}
    for one, p in zip(family, adjusted(family), strict=True):
        star = " *" if p < 1 - LEVEL else ""
        mean, interval = one.found.estimate.mean, one.found.estimate.interval()
        text = f"{formats.points(float(mean))} {formats.interval(*map(float, interval))}{star}"
        shown.setdefault(one.contrast.first, {})[one.teacher] = text
    return _by_teacher(shown, part)


def _by_teacher(shown: Mapping[str, Mapping[str, str]], part: Part) -> pd.DataFrame:
    teachers = [teacher for _, teacher, _ in part.pairs]
    lines = [
        {"policy": policy, **{name: found.get(name, formats.NOTHING) for name in teachers}}
        for policy, found in shown.items()
    ]
    return pd.DataFrame(lines)


def sentences(part: Part) -> list[str]:
    """Answer the questions in words, for every teacher; Holm adjusts for all of them together."""
    family = questions(part)
    return [
        f"{one.teacher}: {answer(one.subject, one.found, part.outcomes.margin, p)}"
        f"{collapsed(one.tally)}"
        for one, p in zip(family, adjusted(family), strict=True)
    ]
