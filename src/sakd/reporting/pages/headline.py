"""The headline numbers of a report."""

from __future__ import annotations

import pandas as pd

from sakd.reporting.pages.sections import Highlight, Highlights
from sakd.reporting.tables import formats
from sakd.reporting.tables.caveats import verdict
from sakd.reporting.tables.display import pairs_in
from sakd.reporting.tables.frames import compared_policies
from sakd.reporting.tables.kinds import REFERENCE
from sakd.reporting.tables.paired import paired_differences, pooled
from sakd.reporting.tables.reference import reference_rows
from sakd.reporting.tables.spread import Spread


def highlights(cells: pd.DataFrame) -> Highlights:
    """Choose the headline numbers: pooled gains, reference rows of a single pair, cells, seeds."""
    items = [_gain(cells, policy) for policy in compared_policies(cells)]
    if len(pairs_in(cells)) == 1:
        items += _references(cells)
    return Highlights((*items, _cells(cells)))


def _gain(cells: pd.DataFrame, policy: str) -> Highlight:
    differences = paired_differences(pooled(cells), policy)
    spread = Spread.of(differences["difference"])
    label = f"{policy} - {REFERENCE}, points (pooled)"
    if not spread.n:
        return Highlight(label, formats.NOTHING, "no seed finished both")
    shown = formats.interval(*spread.interval)
    bounds = "" if shown == formats.NOTHING else f"{shown}, "
    note = f"{bounds}n = {spread.n}; {verdict(spread, differences['seed'].nunique())}"
    return Highlight(label, formats.points(spread.mean), note)


def _references(cells: pd.DataFrame) -> list[Highlight]:
    found = []
    for line in reference_rows(cells).to_dict("records"):
        if line["n"]:
            sd = formats.percent(line["sd"])
            note = f"n = {line['n']}" if sd == formats.NOTHING else f"± {sd}, n = {line['n']}"
            found.append(Highlight(line["model"], f"{formats.percent(line['mean'])} %", note))
    return found


def _cells(cells: pd.DataFrame) -> Highlight:
    done = int(cells["finished"].sum())
    unfinished = len(cells) - done
    seeds = formats.plural(cells["seed"].nunique(), "seed")
    note = f"{seeds}; {unfinished} without a result" if unfinished else seeds
    return Highlight("cells done", f"{done} of {len(cells)}", note)
