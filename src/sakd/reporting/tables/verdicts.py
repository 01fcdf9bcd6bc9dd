"""The questions of a study and what it says to them, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pandas as pd

from sakd.evidence import Reading, read
from sakd.foundation.vocabulary import NONE
from sakd.networks.variants import kind_of
from sakd.reporting.tables import formats
from sakd.reporting.tables.contrasts import (
    SEVERAL,
    Contrast,
    Difference,
    difference,
    duels,
    pooled,
)
from sakd.reporting.tables.frames import compared_policies, of_distillers
from sakd.reporting.tables.kinds import REFERENCE
from sakd.reporting.tables.outcomes import Outcomes
from sakd.reporting.tables.routers import Tally
from sakd.routing import POLICIES
from sakd.routing.adaptive import Adaptive
from sakd.routing.anti import Anti
from sakd.routing.random_matched import RandomMatched

ADAPTIVE, MATCHED, ANTI = map(POLICIES.name_of, (Adaptive, RandomMatched, Anti))

QUESTIONS = {
    "distillation": Contrast(REFERENCE, NONE),
    "adaptivity": Contrast(ADAPTIVE, REFERENCE),
    f"the choice of samples ({ADAPTIVE} - {MATCHED})": Contrast(ADAPTIVE, MATCHED),
    f"the choice over its opposite ({ADAPTIVE} - {ANTI})": Contrast(ADAPTIVE, ANTI),
}
"""The questions to a study, by subject."""


class Verdict(NamedTuple):
    """The answer to a question.

    Attributes:
        subject: What is judged.
        contrast: The policies that are compared, pooled over distillers and pairs.
        found: Their difference.
        text: The answer in words, which begins with the subject.
        under: Ends the subject where teachers are judged one by one: their names.
    """

    subject: str
    contrast: Contrast
    found: Difference
    text: str
    under: str = ""


def verdicts(outcomes: Outcomes) -> list[Verdict]:
    """Answer every question that the cells were made for.

    These are `QUESTIONS`, and each further policy against plain distillation. Where teachers
    differ in how they came to be, as variants do, each kind of teacher has answers of its own.
    """
    return [
        verdict(part, f"{name}{under}", contrast)._replace(under=under)
        for under, part in _by_variant(outcomes)
        for name, contrast in _asked(part.cells).items()
    ]


def _by_variant(outcomes: Outcomes) -> Iterator[tuple[str, Outcomes]]:
    """Split the cells by how their teachers came to be, where that differs."""
    teachers = outcomes.cells["teacher"]
    variants = teachers.map(kind_of)
    if variants.nunique() <= 1:
        yield "", outcomes
        return
    for _, cells in outcomes.cells.groupby(variants, sort=False):
        names = ", ".join(cells["teacher"].unique())
        yield f" under {names}", replace(outcomes, cells=cells)


def main_contrasts(cells: pd.DataFrame) -> list[Contrast]:
    """List those `contrasts` that a question of a study asks; all of them if none does."""
    found = contrasts(cells)
    return [contrast for contrast in found if contrast in QUESTIONS.values()] or found


def contrasts(cells: pd.DataFrame) -> list[Contrast]:
    """List the comparisons of two policies that ``cells`` were made for, with `REFERENCE` first."""
    asked = [contrast for contrast in _asked(cells).values() if contrast.second != NONE]
    return sorted(asked, key=lambda contrast: contrast.second != REFERENCE)


def _asked(cells: pd.DataFrame) -> dict[str, Contrast]:
    asked = dict(QUESTIONS)
    for policy in compared_policies(cells):
        if Contrast(policy, REFERENCE) not in asked.values():
            asked[f"{policy} (- {REFERENCE})"] = Contrast(policy, REFERENCE)
    present = set(of_distillers(cells)["policy"])
    return {name: each for name, each in asked.items() if present.issuperset(each)}


def verdict(outcomes: Outcomes, subject: str, contrast: Contrast) -> Verdict:
    """Answer one question from all distillers and pairs."""
    found = pooled(duels(outcomes.cells, contrast))
    judged = difference(outcomes, found)
    tally = Tally.of(outcomes.routers, found["first"])
    text = f"{answer(subject, judged, outcomes.margin)}{collapsed(tally)}"
    return Verdict(subject, contrast, judged, text)


def answer(subject: str, found: Difference, margin: float, p: float | None = None) -> str:
    """Say in words what a difference says of its ``subject``.

    Args:
        subject: What makes the difference.
        found: The difference, positive where the subject helps.
        margin: The difference that does not matter, as a fraction.
        p: Its p-value after adjustment for a family of questions; None for its own.
    """
    if not found.enough:
        return f"{subject}: cannot be told{_too_few(found)}"
    small = found.estimate.bound <= margin
    below = f", which is below the margin of {100 * margin:g} points" if small else ""
    match read(found.estimate, margin, p):
        case Reading.HIGHER:
            return f"{subject} helps by {_shown(found)}{below}"
        case Reading.LOWER:
            return f"{subject} hurts by {_shown(found)}{below}"
        case Reading.WITHIN:
            return f"{subject}: no difference larger than {bounded(found)} points"
        case _:
            return f"{subject}: cannot be told, {_shown(found)}; {_needed(found)}"


def _too_few(found: Difference) -> str:
    if not found.seeds:
        return ", as no seed finished both"
    number = formats.plural(found.seeds, "seed")
    return f" from {number}, {_shown(found)}; it takes {SEVERAL} or more"


def bounded(found: Difference) -> str:
    """Write the bound of a difference in points, rounded up to a tenth."""
    return f"{math.ceil(1000 * float(found.estimate.bound) - 1e-9) / 10:.1f}"


def collapsed(tally: Tally) -> str:
    """Say how many routers, or rules, stopped choosing; empty if none did."""
    if not tally.collapsed:
        return ""
    number = f"{tally.collapsed} of {formats.plural(tally.number, 'cell')}"
    how = f" ({tally.mark})" if tally.all_collapsed else ""
    what = "its routers collapsed" if tally.trained else "its rule stopped choosing"
    return f"; {what} in {number}{how}"


def _shown(found: Difference) -> str:
    low, high = map(float, found.estimate.interval())
    mean = formats.points(float(found.estimate.mean))
    return mean if math.isnan(low) else f"{mean} {formats.interval(low, high)}"


def _needed(found: Difference) -> str:
    if not found.estimate.known:
        return "the seeds agree, and there are no results per image"
    if not found.per_image:
        return "without results per image it is not known how many seeds would settle it"
    if found.needed is None:
        return f"these {found.images} test images cannot settle it, however many the seeds"
    unit = "pairs" if found.several else "seeds"
    return f"about {found.needed} {unit} would settle it"
