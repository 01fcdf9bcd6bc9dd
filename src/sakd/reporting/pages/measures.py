"""The section on measures other than accuracy."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from sakd.data import DataCard
from sakd.reporting.pages.sections import PART, Block, Section, Tabular, Text
from sakd.reporting.pages.wording import (
    CLASSES,
    COST,
    EMPTY,
    HURT,
    MEASURES,
    QUALITY,
    ROBUSTNESS,
)
from sakd.reporting.tables import formats
from sakd.reporting.tables.classes import CHANCE, class_rows
from sakd.reporting.tables.display import pairs_in
from sakd.reporting.tables.frames import of_pair, pair_file, pair_name
from sakd.reporting.tables.shown_classes import hurt_classes, shown_classes
from sakd.reporting.tables.shown_measures import (
    empty,
    shown_costs,
    shown_quality,
    shown_robustness,
)


def measures_section(
    cells: pd.DataFrame, predictions: pd.DataFrame | None, data: DataCard | None
) -> list[Section]:
    """Show likelihood, calibration, fidelity, robustness, classes and cost.

    There is no section, and within it no table, of what was not measured.
    """
    pairs = pairs_in(cells)
    named = {pair: f" of {pair_name(pair)}" if len(pairs) > 1 else "" for pair in pairs}
    parts = {
        pair: (*_tables(of, pair, named[pair]), *_classes(of, predictions, data, named[pair]))
        for pair in pairs
        for of in [of_pair(cells, pair)]
    }
    costs = shown_costs(cells)
    rest: list[Block] = []
    if not empty(costs.text):
        rest.append(Tabular("costs", "Cost of the networks", *costs, names=2, note=COST))
    if len(pairs) == 1:
        rest = [*parts.popitem()[1], *rest]
    folds = [
        Section(f"Measures of {pair_name(pair)}", blocks, level=PART, folded=True)
        for pair, blocks in parts.items()
        if blocks
    ]
    return [Section("Measures", (Text(MEASURES), *rest)), *folds] if rest or folds else []


def _tables(cells: pd.DataFrame, pair: tuple[str, ...], of: str) -> Iterator[Tabular]:
    captions = f"Quality{of}", f"Accuracy under corruptions{of}, %"
    tables = shown_quality(cells), shown_robustness(cells)
    names = ("quality", QUALITY), ("corruptions", ROBUSTNESS)
    for (name, meaning), caption, table in zip(names, captions, tables, strict=True):
        if not empty(table.text):
            note = _note(meaning, table.text)
            yield Tabular(pair_file(name, pair), caption, *table, names=2, note=note)


def _note(meaning: str, table: pd.DataFrame) -> str:
    """Explain a table, and why there are empty values in it."""
    reasons = [
        reason
        for reason, titles in EMPTY.items()
        if any((table[title] == formats.NOTHING).any() for title in titles if title in table)
    ]
    return " ".join([meaning, *reasons])


def _classes(
    cells: pd.DataFrame, predictions: pd.DataFrame | None, data: DataCard | None, of: str
) -> Iterator[Block]:
    if predictions is None or (rows := class_rows(cells, predictions)).empty:
        return
    (pair,) = pairs_in(cells)
    shown, file = shown_classes(rows, cells, predictions, data), pair_file("classes", pair)
    yield Tabular(file, f"Accuracy by class{of}, %", *shown, note=CLASSES)
    number = f"{formats.plural(len(rows), 'comparison')} of a method and a class"
    chance = f"about {formats.number(CHANCE * len(rows), 1)} would be named by chance"
    caption = f"Classes that distillation hurts{of}"
    if not rows["hurt"].any():
        yield Text(f"{caption}: none in {number}. {HURT}")
        return
    hurt = hurt_classes(rows, data)
    left = int(rows["hurt"].sum()) - len(hurt.text)
    more = f" The largest losses are shown; {left} more are left out." if left else ""
    note, file = f"Of {number}, {chance}. {HURT}{more}", pair_file("hurt_classes", pair)
    yield Tabular(file, caption, *hurt, names=3, note=note)
