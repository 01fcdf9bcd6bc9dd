"""The section that leads from the numbers of a report to the cells behind them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from urllib.parse import quote

import pandas as pd

from sakd.foundation.vocabulary import NONE
from sakd.reporting.pages.sections import CellLinks, CellList, MethodCells, Section, Text
from sakd.reporting.pages.wording import CELLS
from sakd.reporting.tables import formats
from sakd.reporting.tables.columns import PLACES, TEST
from sakd.reporting.tables.frames import PAIR, by_method, pair_name
from sakd.reporting.tables.kinds import PLAIN_KD, REFERENCE
from sakd.reporting.tables.reference import KD, STUDENT

Method = tuple[str, ...]
"""Data set, teacher, student, distiller, policy."""

Anchors = Mapping[Method, str]
"""Anchors of the page, by method."""

Links = Mapping[tuple[int, str], str]
"""Anchors of the page, by the row and the column of a table that lead there."""


def anchors(cells: pd.DataFrame) -> Anchors:
    """Name the places of the page that list the cells of each method; none without paths."""
    if not set(PLACES) <= set(cells.columns):
        return {}
    methods = [tuple(named.values()) for named, _ in by_method(cells)]
    return {method: f"c{number}" for number, method in enumerate(methods)}


def links_of(
    table: pd.DataFrame, pair: tuple[str, ...], columns: Mapping[str, str], known: Anchors
) -> Links:
    """Lead from the numbers of a table with a line per distiller to the cells behind them.

    Args:
        table: A table with a column ``distiller``.
        pair: Data set, teacher and student of the table.
        columns: The policy behind each column of numbers.
        known: The anchors of all methods.
    """
    found = {
        (row, column): known.get((*pair, distiller, policy), "")
        for row, distiller in enumerate(table["distiller"])
        for column, policy in columns.items()
    }
    return {place: anchor for place, anchor in found.items() if anchor}


def line_links(
    table: pd.DataFrame, pair: tuple[str, ...], known: Anchors, *, names: int = 2
) -> Links:
    """Lead from the first number of each line of a table that names distillers and policies."""
    found: dict[tuple[int, str], str] = {}
    for row, (distiller, policy) in enumerate(table.iloc[:, :2].itertuples(index=False)):
        alone = distiller == STUDENT
        method = (*pair, NONE, NONE) if alone else (*pair, distiller, policy)
        if anchor := known.get(method):
            found[row, table.columns[names]] = anchor
    return found


def reference_links(table: pd.DataFrame, pair: tuple[str, ...], known: Anchors) -> Links:
    """Lead from the reference rows to the students alone and to those of KD."""
    methods = {STUDENT: (NONE, NONE), KD: (PLAIN_KD, REFERENCE)}
    found = {
        (row, column): known.get((*pair, *method), "")
        for row, model in enumerate(table["model"])
        for role, method in methods.items()
        if model.startswith(f"{role} (")
        for column in table.columns[1:]
    }
    return {place: anchor for place, anchor in found.items() if anchor}


def cells_section(cells: pd.DataFrame, place: str) -> list[Section]:
    """List the cells of every method with their records and weights; no section without paths.

    Args:
        cells: One line per cell, with the paths ``record`` and ``weights`` in the project.
        place: The path from the page to the project.
    """
    known = anchors(cells)
    if not known:
        return []
    lines = tuple(
        MethodCells(
            known[tuple(named.values())],
            _title(named),
            tuple(_links(cell, place) for cell in group.to_dict("records")),
        )
        for named, group in by_method(cells)
    )
    return [Section("Cells", (Text(CELLS), CellList(lines)), folded=True)]


def _title(named: Mapping[str, str]) -> str:
    method = [named[name] for name in ("distiller", "policy") if named[name] != NONE]
    pair = pair_name(tuple(named[name] for name in PAIR))
    return f"{pair}, {' '.join(method) or STUDENT}"


def _links(cell: Mapping[str, object], place: str) -> CellLinks:
    paths = [_href(cell[name], place) for name in PLACES]
    level = formats.percent(float(str(cell[TEST])))
    shown = f"{level} %" if level != formats.NOTHING else str(cell["status"])
    return CellLinks(f"seed {cell['seed']}: {shown}", *paths)


def _href(path: object, place: str) -> str:
    """Write a path in the project as a link from the page; empty without one."""
    if not isinstance(path, str) or not path:
        return ""
    if PurePath(path).is_absolute():
        return PurePath(path).as_uri()
    return quote(f"{place}/{path}" if place else path)
