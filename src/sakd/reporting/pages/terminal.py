"""The table that is printed at the end of a run."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import pandas as pd

from sakd.data import DataCard
from sakd.foundation.text import printable
from sakd.foundation.vocabulary import NONE
from sakd.reporting.pages.shipping import SUBJECT, what_to_ship
from sakd.reporting.pages.wording import pooled_note
from sakd.reporting.tables import formats
from sakd.reporting.tables.caveats import image_caveats, result_caveats
from sakd.reporting.tables.contrasts import Contrast
from sakd.reporting.tables.display import (
    NEEDED,
    ROUTER,
    pairs_in,
    shown_comparison,
    shown_levels,
    shown_references,
)
from sakd.reporting.tables.frames import pair_name
from sakd.reporting.tables.kinds import REFERENCE
from sakd.reporting.tables.methods import (
    Rival,
    of_pair_and_its_teachers,
    rivals,
    shown_methods,
)
from sakd.reporting.tables.outcomes import MARGIN, Outcomes
from sakd.reporting.tables.paired import POOLED
from sakd.reporting.tables.verdicts import contrasts, main_contrasts, verdicts

WIDTH = 120
"""Columns of the terminal."""

_NAME_WIDTH, _LEAST_WIDTH = 30, 12
_GAP = "  "
_WORDS = ("model", "difference", "distiller", "policy", "reading")


def console_table(
    results: pd.DataFrame,
    data: DataCard | None = None,
    *,
    history: pd.DataFrame | None = None,
    predictions: pd.DataFrame | None = None,
    margin: float = MARGIN,
) -> str:
    """Write reference rows, then the paired tables of each pair, as plain text of 120 columns.

    Accuracies are percent with two decimals, mean ± sd over seeds; differences are percentage
    points with their sign. The caveats of the results follow, and the verdicts come last. Several
    comparisons are cut down to those that the questions of a study ask for; the report has all.

    Args:
        results: One line per cell.
        data: The card of the data that the results are of.
        history: One line per (cell, epoch).
        predictions: One line per (cell or teacher, test image).
        margin: The difference in accuracy that does not matter, as a fraction.
    """
    outcomes = Outcomes.of(results, history, predictions, margin)
    cells = outcomes.cells
    parts = [_pair_text(outcomes, pair, data) for pair in pairs_in(cells)]
    notes = [f"note: {line}" for line in [*result_caveats(results, data), *image_caveats(outcomes)]]
    if any(POOLED in part for part in parts):
        notes.append(f"{POOLED}: {pooled_note(cells['distiller'])}")
    asked = [*main_contrasts(cells), Contrast(REFERENCE, NONE)]
    judged = [each.text for each in verdicts(outcomes) if each.contrast in asked]
    said = [f"verdict: {text}" for text in judged]
    said.append(f"verdict: {SUBJECT}: {what_to_ship(outcomes)}")
    blocks = ("\n".join(_wrapped(line) for line in lines) for lines in (notes, said) if lines)
    return "\n\n".join([*parts, *blocks])


def _wrapped(note: str) -> str:
    """Break a note into lines; the names of cells stay whole."""
    return textwrap.fill(printable(note), WIDTH, subsequent_indent=_GAP, break_on_hyphens=False)


def _pair_text(every: Outcomes, pair: tuple[str, ...], data: DataCard | None) -> str:
    outcomes = every.of_pair(pair)
    cells, title = outcomes.cells, formats.clipped(printable(pair_name(pair)), WIDTH)
    comparisons = {each: _comparison(outcomes, each) for each in main_contrasts(cells)}
    several = len(contrasts(cells)) > 1
    levels = shown_levels(cells, data, needed=several).text
    found = [levels, _joined(comparisons)] if several else [*comparisons.values(), levels]
    references = shown_references(outcomes, data).text
    beside = of_pair_and_its_teachers(every, pair)
    compared = rivals(beside.cells)
    methods = [_named(shown_methods(beside, rival).text, rival) for rival in compared]
    tables = [references[references.iloc[:, 1] != formats.NOTHING], *found, *methods]
    shown = [_text_table(table) for table in tables if len(table)]
    return "\n".join([title, "=" * len(title), "\n\n".join(shown)])


def _named(table: pd.DataFrame, rival: Rival) -> pd.DataFrame:
    return table.rename(columns={"method": f"against {rival.title}"})


def _comparison(outcomes: Outcomes, contrast: Contrast) -> pd.DataFrame:
    """Compare two policies in the columns that have room; a router's mark follows the reading."""
    table = shown_comparison(outcomes, contrast).text
    if ROUTER in table:
        parts = zip(table["reading"], table[ROUTER], strict=True)
        words = (", ".join(part for part in each if part != formats.NOTHING) for each in parts)
        table["reading"] = [shown or formats.NOTHING for shown in words]
    return table.drop(columns=[NEEDED, ROUTER], errors="ignore")


def _joined(comparisons: Mapping[Contrast, pd.DataFrame]) -> pd.DataFrame:
    """Put comparisons below each other, without the accuracies of their policies."""
    tables = []
    for (first, second), table in comparisons.items():
        differences = table.drop(columns=[f"{first} %", f"{second} %"])
        names = [f"{first} - {second}", *[""] * (len(table) - 1)]
        differences.insert(0, "difference", names[: len(table)])
        tables.append(differences)
    return pd.concat(tables, ignore_index=True).fillna(formats.NOTHING)


def _text_table(table: pd.DataFrame) -> str:
    names = list(table.columns)
    cells = table.astype(str).map(printable)
    lines = [list(map(printable, names)), *cells.to_numpy().tolist()]
    rest = sum(max(len(line[k]) for line in lines) + len(_GAP) for k in range(1, len(lines[0])))
    width = min(_NAME_WIDTH, max(_LEAST_WIDTH, WIDTH - rest))
    lines = [[formats.clipped(line[0], width), *line[1:]] for line in lines]
    widths = [max(len(line[k]) for line in lines) for k in range(len(table.columns))]
    text = [
        _GAP.join(
            value.ljust(width) if name in _WORDS else value.rjust(width)
            for name, value, width in zip(names, line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]
    rule = "-" * (sum(widths) + len(_GAP) * (len(widths) - 1))
    return "\n".join([text[0], rule, *text[1:]])
