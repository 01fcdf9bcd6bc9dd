"""The section on routing: which training images distilled, and how hard they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import pandas as pd

from sakd.data import DataCard
from sakd.foundation.names import file_name
from sakd.reporting.figures.parts import rates_by_difficulty
from sakd.reporting.pages.sections import Block, Chart, Picture, Section, Tabular, Text
from sakd.reporting.pages.wording import (
    BY_DIFFICULTY,
    ROUTED_CLASSES,
    ROUTING,
    ROUTING_TABLE,
    SHEET,
    UNRECORDED,
)
from sakd.reporting.tables import formats
from sakd.reporting.tables.display import pairs_in
from sakd.reporting.tables.frames import PAIR, of_pair, pair_file, pair_name
from sakd.reporting.tables.routed import routed, routed_rows, unrecorded
from sakd.reporting.tables.shown_routing import (
    MOST,
    lines_of,
    shown_routed_classes,
    shown_routing,
)

SHEETS, BYTES = 24, 250_000
"""The most sheets in a page, and their most bytes in all."""


class Routing(NamedTuple):
    """The results of an evaluation that are about routing.

    Attributes:
        measures: One line per cell, spot, measure and group.
        sheets: One line per cell with a sheet of images: ``cell``, ``png`` and ``text``.
    """

    measures: pd.DataFrame
    sheets: pd.DataFrame


def routing_section(
    cells: pd.DataFrame, routing: Routing | None, data: DataCard | None
) -> list[Section]:
    """Show rates by class and by difficulty, and the images most and least routed.

    There is no section where no policy tells images apart.
    """
    if routing is None or routed(cells).empty:
        return []
    rows = routed_rows(cells, routing.measures)
    blocks: list[Block] = [Text(ROUTING)]
    if missing := unrecorded(cells, routing.measures):
        blocks.append(Text(UNRECORDED.format(formats.plural(missing, "cell"))))
    pairs = [pair for pair in pairs_in(cells) if len(of_pair(rows, pair))]
    for pair in pairs:
        of = f" of {pair_name(pair)}" if len(pairs) > 1 else ""
        blocks += _tables(of_pair(rows, pair), pair, data, of)
    if pairs:
        blocks.append(Chart("rates-by-difficulty", BY_DIFFICULTY, rates_by_difficulty(rows)))
    shown = _sheets(cells, routing.sheets, several=len(pairs) > 1)
    return [Section("Routing", (*blocks, *_fitting(shown)))]


def _fitting(sheets: Sequence[Picture]) -> Iterator[Block]:
    """Yield the first sheets, as many as a page takes, and say how many are left out."""
    sizes = accumulate(len(each.png) for each in sheets)
    count = sum(size <= BYTES for size in list(sizes)[:SHEETS])
    yield from sheets[:count]
    if left := len(sheets) - count:
        yield Text(f"{formats.plural(left, 'more sheet')} in sheets.parquet.")


def _tables(
    rows: pd.DataFrame, pair: tuple[str, ...], data: DataCard | None, of: str
) -> Iterator[Tabular]:
    lines = lines_of(rows)
    said = f" {MOST} of {len(lines)} lines, those that say most; routing.parquet has all."
    cut = said if len(lines) > MOST else ""
    tables = {
        "routing": (f"Which images distil{of}", shown_routing(lines), ROUTING_TABLE),
        "routed_classes": (
            f"Rates by class{of}, all epochs",
            shown_routed_classes(lines, data),
            ROUTED_CLASSES,
        ),
    }
    for name, (caption, table, note) in tables.items():
        yield Tabular(pair_file(name, pair), caption, *table, names=3, note=f"{note}{cut}")


def _sheets(cells: pd.DataFrame, sheets: pd.DataFrame, *, several: bool) -> list[Picture]:
    """Give the sheet of the first seed of every method."""
    shown = routed(cells).merge(sheets, on="cell")
    firsts = shown.groupby([*PAIR, "distiller", "policy"], sort=False)["seed"].idxmin()
    return [_picture(line, several) for line in shown.loc[firsts].to_dict("records")]


def _picture(line: Mapping[str, Any], several: bool) -> Picture:
    of = f" of {pair_name(tuple(line[name] for name in PAIR))}" if several else ""
    title = f"{line['distiller']}, {line['policy']}{of}, seed {line['seed']}"
    name = f"sheet-{file_name(line['cell'])}"
    return Picture(name, SHEET.format(title), line["text"], line["png"])
