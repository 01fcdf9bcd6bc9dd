"""The table that is printed at the end of a run."""

from __future__ import annotations

import textwrap

import pandas as pd

from sakd.data import DataCard
from sakd.reporting.pages.wording import pooled_note
from sakd.reporting.tables import formats
from sakd.reporting.tables.caveats import result_caveats
from sakd.reporting.tables.display import (
    of_pair,
    pairs_in,
    shown_comparison,
    shown_levels,
    shown_references,
)
from sakd.reporting.tables.frames import compared_policies, pair_name, prepared
from sakd.reporting.tables.paired import POOLED

WIDTH = 120
"""Columns of the terminal."""

_NAME_WIDTH = 30
_GAP = "  "


def console_table(results: pd.DataFrame, data: DataCard | None = None) -> str:
    """Write reference rows, then the paired table of each pair, as plain text of 120 columns.

    Accuracies are percent with two decimals, mean ± sd over seeds; differences are percentage
    points with their sign. The caveats of the results follow.

    Args:
        results: One line per cell.
        data: The card of the data that the results are of.
    """
    cells = prepared(results)
    parts = [_pair_text(of_pair(cells, pair), pair, data) for pair in pairs_in(cells)]
    notes = [f"note: {line}" for line in result_caveats(cells, data)]
    if any(POOLED in part for part in parts):
        notes.append(f"{POOLED}: {pooled_note(cells['distiller'])}")
    footer = "\n".join(_wrapped(note) for note in notes)
    return "\n\n".join([*parts, footer] if footer else parts)


def _wrapped(note: str) -> str:
    """Break a note into lines; the names of cells stay whole."""
    return textwrap.fill(note, WIDTH, subsequent_indent=_GAP, break_on_hyphens=False)


def _pair_text(cells: pd.DataFrame, pair: tuple[str, ...], data: DataCard | None) -> str:
    title = formats.clipped(pair_name(pair), WIDTH)
    comparisons = [shown_comparison(cells, policy) for policy in compared_policies(cells)]
    tables = [shown_references(cells, data), *comparisons, shown_levels(cells, data)]
    shown = [_text_table(table) for table in tables if len(table)]
    return "\n".join([title, "=" * len(title), "\n\n".join(shown)])


def _text_table(table: pd.DataFrame) -> str:
    lines = [list(table.columns), *table.astype(str).to_numpy().tolist()]
    lines = [[formats.clipped(line[0], _NAME_WIDTH), *line[1:]] for line in lines]
    widths = [max(len(line[k]) for line in lines) for k in range(len(table.columns))]
    text = [
        _GAP.join(
            value.rjust(width) if k else value.ljust(width)
            for k, (value, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    rule = "-" * (sum(widths) + len(_GAP) * (len(widths) - 1))
    return "\n".join([text[0], rule, *text[1:]])
