"""Every method against the student alone, and against plain KD, seed by seed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from sakd.evidence import holm, read
from sakd.foundation.vocabulary import NONE
from sakd.reporting.tables import formats
from sakd.reporting.tables.columns import TEST, TITLE
from sakd.reporting.tables.contrasts import METHOD, Difference, difference
from sakd.reporting.tables.frames import PAIR, of_distillers
from sakd.reporting.tables.kinds import PLAIN_KD, REFERENCE
from sakd.reporting.tables.outcomes import Outcomes
from sakd.reporting.tables.shown import Shown
from sakd.reporting.tables.spread import Spread


class Rival(NamedTuple):
    """What methods are compared with."""

    title: str
    distiller: str
    policy: str


ALONE = Rival("the student alone", NONE, NONE)
KD = Rival("KD", PLAIN_KD, REFERENCE)


def rivals(cells: pd.DataFrame) -> list[Rival]:
    """List what there is to compare systems with; nothing if no cell is of one."""
    if len(of_distillers(cells)) == len(cells):
        return []
    methods = set(zip(cells["distiller"], cells["policy"], strict=True))
    return [rival for rival in (ALONE, KD) if rival[1:] in methods]


def method_duels(cells: pd.DataFrame, rival: Rival) -> pd.DataFrame:
    """Pair the finished cells of all methods, under the plain policy, with those of ``rival``.

    Returns:
        ``dataset, teacher, student, distiller, seed``, the cells ``first`` and ``second``, and the
        ``difference`` of their test accuracies, as a fraction.
    """
    finished = cells[cells["finished"]]
    theirs = (finished["distiller"] == rival.distiller) & (finished["policy"] == rival.policy)
    ours = (finished["policy"] == REFERENCE) & (finished["distiller"] != rival.distiller)
    second = finished.loc[theirs, [*PAIR, "seed", "cell", TEST]]
    first = finished.loc[ours, [*METHOD, "seed", "cell", TEST]]
    both = first.merge(second, on=[*PAIR, "seed"], suffixes=("", "_second"))
    both = both.rename(columns={"cell": "first", "cell_second": "second"})
    both["difference"] = both[TEST] - both[f"{TEST}_second"]
    return both[[*METHOD, "seed", "first", "second", "difference"]]


def method_differences(outcomes: Outcomes, rival: Rival) -> dict[str, Difference]:
    """Estimate the mean difference of every method to ``rival``, by the name of the method."""
    found = method_duels(outcomes.cells, rival)
    return {
        str(name): difference(outcomes, group)
        for name, group in found.groupby("distiller", sort=False)
    }


def shown_methods(outcomes: Outcomes, rival: Rival) -> Shown:
    """Show the differences of all methods of a pair to ``rival``; adjusted for their number."""
    found = method_differences(outcomes, rival)
    plain = outcomes.cells[outcomes.cells["finished"] & (outcomes.cells["policy"] == REFERENCE)]
    levels = {name: Spread.of(plain.loc[plain["distiller"] == name, TEST]) for name in found}
    adjusted = holm(np.array([each.estimate.p for each in found.values()], dtype=float))
    intervals = {name: tuple(map(float, each.estimate.interval())) for name, each in found.items()}
    text = {
        "method": list(found),
        f"test {TITLE}": [formats.level(level) for level in levels.values()],
        "points": [formats.points(float(each.estimate.mean)) for each in found.values()],
        "95 % interval": [formats.interval(*ends) for ends in intervals.values()],
        "seeds": [str(each.seeds) for each in found.values()],
        "reading": [
            read(each.estimate, outcomes.margin, p).value if each.enough else formats.NOTHING
            for each, p in zip(found.values(), adjusted, strict=True)
        ],
    }
    values = {
        "mean": [float(each.estimate.mean) for each in found.values()],
        "low": [low for low, _ in intervals.values()],
        "high": [high for _, high in intervals.values()],
        "p": [float(each.estimate.p) for each in found.values()],
        "holm": adjusted,
        "seeds": [each.seeds for each in found.values()],
    }
    return Shown(pd.DataFrame(text), pd.DataFrame(values))
