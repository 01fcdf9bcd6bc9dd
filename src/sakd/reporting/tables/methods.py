"""Every method against the student alone, and against plain KD, seed by seed."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from sakd.evidence import holm, read
from sakd.foundation.vocabulary import NONE
from sakd.networks.paths import members
from sakd.reporting.tables import formats
from sakd.reporting.tables.columns import TEST, TITLE
from sakd.reporting.tables.contrasts import METHOD, Difference, difference
from sakd.reporting.tables.frames import PAIR, of_distillers
from sakd.reporting.tables.kinds import PLAIN_KD, REFERENCE
from sakd.reporting.tables.outcomes import Outcomes
from sakd.reporting.tables.shown import Shown
from sakd.reporting.tables.spread import Spread


class Rival(NamedTuple):
    """A method with which others are compared."""

    title: str
    distiller: str
    policy: str


ALONE = Rival("the student alone", NONE, NONE)
KD = Rival("KD", PLAIN_KD, REFERENCE)


def of_pair_and_its_teachers(outcomes: Outcomes, pair: tuple[str, ...]) -> Outcomes:
    """Select the outcomes of a pair; of one with several teachers, with KD from each of them.

    The cells of KD are those of pairs of a single teacher. Here they are of this pair, and their
    method is called ``kd (teacher)``.
    """
    dataset, teacher, student = pair
    own = outcomes.of_pair(pair)
    if len(several := members(teacher)) == 1:
        return own
    single = pd.concat(
        [
            cells[(cells["distiller"] == PLAIN_KD) & (cells["policy"] == REFERENCE)].assign(
                teacher=teacher, distiller=_kd_from(each)
            )
            for each in several
            for cells in [outcomes.of_pair((dataset, each, student)).cells]
        ]
    )
    return replace(own, cells=pd.concat([own.cells, single], ignore_index=True))


def _kd_from(teacher: str) -> str:
    return f"{PLAIN_KD} ({teacher})"


def rivals(cells: pd.DataFrame) -> list[Rival]:
    """List what there is to compare systems with; nothing if no cell is of one."""
    if len(of_distillers(cells)) == len(cells):
        return []
    methods = set(zip(cells["distiller"], cells["policy"], strict=True))
    names = cells["teacher"].unique()
    teachers = dict.fromkeys(each for name in names for each in members(name))
    single = [Rival(f"KD from {each}", _kd_from(each), REFERENCE) for each in teachers]
    return [rival for rival in (ALONE, KD, *single) if rival[1:] in methods]


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
