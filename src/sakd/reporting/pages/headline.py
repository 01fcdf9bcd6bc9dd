"""The headline numbers of a report."""

from __future__ import annotations

import pandas as pd

from sakd.evidence import Reading, read
from sakd.foundation.vocabulary import NONE
from sakd.reporting.pages.sections import Highlight, Highlights
from sakd.reporting.tables import formats
from sakd.reporting.tables.display import pairs_in
from sakd.reporting.tables.outcomes import Outcomes
from sakd.reporting.tables.reference import STUDENT, reference_rows
from sakd.reporting.tables.verdicts import Verdict

_READINGS = {
    Reading.HIGHER: "the interval is above zero",
    Reading.LOWER: "the interval is below zero",
    Reading.WITHIN: "a difference that does not matter",
    Reading.OPEN: "cannot be told",
    Reading.UNKNOWN: "too few seeds to tell from noise",
}


def highlights(outcomes: Outcomes, judged: list[Verdict]) -> Highlights:
    """Choose the headline numbers: each verdict's, reference rows of a single pair, the cells."""
    cells = outcomes.cells
    items = [_gain(verdict, outcomes.margin) for verdict in judged]
    if len(pairs_in(cells)) == 1:
        items += _references(cells)
    return Highlights((*items, _cells(cells)))


def _gain(verdict: Verdict, margin: float) -> Highlight:
    found = verdict.found
    second = STUDENT if verdict.contrast.second == NONE else verdict.contrast.second
    label = f"{verdict.contrast.first} - {second}{verdict.under}, points (pooled)"
    if not found.seeds:
        return Highlight(label, formats.NOTHING, "no seed finished both")
    shown = formats.interval(*map(float, found.estimate.interval()))
    parts = [] if shown == formats.NOTHING else [shown]
    images = [f"{found.images:,} different test images"] if found.per_image else []
    parts.append(" on ".join([formats.plural(found.seeds, "seed"), *images]))
    reading = read(found.estimate, margin) if found.enough else Reading.UNKNOWN
    value = formats.points(float(found.estimate.mean))
    return Highlight(label, value, f"{', '.join(parts)}; {_READINGS[reading]}")


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
