"""The tables of routing as text."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import pandas as pd

from sakd.data import DataCard
from sakd.measures.routing import DIFFICULTIES
from sakd.reporting.tables.formats import NOTHING, number
from sakd.reporting.tables.routed import METHOD
from sakd.reporting.tables.shown import Shown

MOST = 40
"""Lines that a table of a pair shows; of more those that say most."""

CLASSES = 12
"""Classes that have a column each; of more the extremes are named."""

NAMED = 3

LEVELS = {
    "rate": "rate, all epochs",
    "last": "rate, last epoch",
    "entropy": "entropy, bits",
    "selectivity": "selectivity",
}
"""The titles of measures between 0 and 1, or above."""

CORRELATIONS = dict(
    zip(
        DIFFICULTIES,
        ("loss of student alone", "loss of student", "loss of teacher", "disagreement"),
        strict=True,
    )
)
"""The titles of correlations, by difficulty."""


class Line(NamedTuple):
    """The measures of one method at one spot.

    Attributes:
        names: Distiller, policy and spot.
        levels: The measures of `LEVELS`.
        correlations: With each difficulty.
        classes: The rate of each class, by its position.
        images: The number of images, and of those that were asked for their difficulty.
        seeds: The number of cells.
    """

    names: dict[str, str]
    levels: dict[str, float]
    correlations: dict[str, float]
    classes: dict[int, float]
    images: tuple[int, int]
    seeds: int

    @property
    def strongest(self) -> float:
        """The largest correlation, without its sign; 0 without one."""
        return max((abs(r) for r in self.correlations.values() if not math.isnan(r)), default=0.0)

    @property
    def range(self) -> float:
        """The highest rate of a class less the lowest."""
        return max(self.classes.values()) - min(self.classes.values())


def lines_of(rows: pd.DataFrame) -> list[Line]:
    """Split the lines of one pair by method and spot."""
    return [
        _line(dict(zip([*METHOD, "spot"], key, strict=True)), group.to_dict("records"))
        for key, group in rows.groupby([*METHOD, "spot"], sort=False)
    ]


def _line(names: dict[str, str], rows: list[dict[str, Any]]) -> Line:
    asked = [row for row in rows if row["measure"] == "correlation"]
    return Line(
        names,
        {row["measure"]: row["value"] for row in rows if row["measure"] in LEVELS},
        {row["by"]: row["value"] for row in asked},
        {int(row["group"]): row["value"] for row in rows if row["measure"] == "class"},
        (
            max(int(row["images"]) for row in rows),
            max((int(row["images"]) for row in asked), default=0),
        ),
        max(int(row["seeds"]) for row in rows),
    )


def most(lines: list[Line], weight: Callable[[Line], float]) -> list[Line]:
    """Take the lines of the largest ``weight``, at most `MOST` of them, in their order."""
    chosen = sorted(range(len(lines)), key=lambda place: -weight(lines[place]))[:MOST]
    return [lines[place] for place in sorted(chosen)]


def shown_routing(lines: list[Line]) -> Shown:
    """Show rates, entropy, selectivity and correlations of the methods and spots of one pair.

    Of many lines those with the strongest correlations are shown.
    """
    texts, values = [], []
    for line in most(lines, lambda each: each.strongest):
        levels = {name: line.levels.get(name, math.nan) for name in LEVELS}
        ranks = {by: line.correlations.get(by, math.nan) for by in CORRELATIONS}
        counts = dict(zip(("images", "asked", "seeds"), (*line.images, line.seeds), strict=True))
        titled = {LEVELS[name]: number(value) for name, value in levels.items()}
        titled |= {CORRELATIONS[by]: _signed(value) for by, value in ranks.items()}
        texts.append({**line.names, **titled, **{k: f"{v:,}" for k, v in counts.items()}})
        values.append({**levels, **{f"rho_{by}": v for by, v in ranks.items()}, **counts})
    return Shown(pd.DataFrame(texts), pd.DataFrame(values))


def _signed(value: float) -> str:
    return NOTHING if math.isnan(value) else f"{value:+.2f}"


def shown_routed_classes(lines: list[Line], data: DataCard | None) -> Shown:
    """Show the rate of every class at every spot; of many classes the lowest and the highest.

    Of many lines those with the largest differences between classes are shown.
    """
    texts, values = [], []
    for line in most(lines, lambda each: each.range):
        rates = {f"class {data.classes[k] if data else k}": v for k, v in line.classes.items()}
        if len(rates) <= CLASSES:
            shown = {title: number(rate) for title, rate in rates.items()}
        else:
            order = sorted(rates, key=lambda title: rates[title])
            ends = {"lowest": order[:NAMED], "highest": order[: -NAMED - 1 : -1]}
            shown = {
                end: ", ".join(f"{t.removeprefix('class ')} {number(rates[t])}" for t in titles)
                for end, titles in ends.items()
            }
        texts.append({**line.names, **shown, "highest - lowest": number(line.range)})
        values.append({**rates, "range": line.range})
    return Shown(pd.DataFrame(texts).fillna(NOTHING), pd.DataFrame(values))
