"""The content of a report, the one source of the Markdown and the HTML page."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from sakd.data import DataCard
from sakd.reporting.figures.epochs import gate_rates, learning_curves
from sakd.reporting.figures.gain import gains
from sakd.reporting.pages import wording
from sakd.reporting.pages.background import (
    provenance_section,
    settings_section,
    unfinished_section,
)
from sakd.reporting.pages.data_card import data_section
from sakd.reporting.pages.headline import highlights
from sakd.reporting.pages.measures import measures_section
from sakd.reporting.pages.methods import methods_section
from sakd.reporting.pages.sections import (
    PART,
    Block,
    Chart,
    Facts,
    Report,
    Section,
    Tabular,
    Text,
    Warnings,
)
from sakd.reporting.tables.caveats import caveats
from sakd.reporting.tables.columns import TITLE
from sakd.reporting.tables.display import (
    of_pair,
    pairs_in,
    shown_comparison,
    shown_levels,
    shown_references,
    shown_selection,
)
from sakd.reporting.tables.frames import (
    compared_policies,
    pair_name,
    prepared,
)
from sakd.reporting.tables.kinds import REFERENCE
from sakd.reporting.tables.paired import POOLED

_PAIRS_NAMED = 3


def report(
    results: pd.DataFrame,
    history: pd.DataFrame,
    *,
    predictions: pd.DataFrame | None = None,
    settings: Mapping[str, object] | None = None,
    provenance: Mapping[str, str] | None = None,
    data: DataCard | None = None,
) -> Report:
    """Collect everything that a report holds, in reading order.

    Args:
        results: One line per cell.
        history: One line per (cell, epoch).
        predictions: One line per (cell or teacher, test image), as the evaluation makes them.
        settings: All that the cells were trained with; may be nested.
        provenance: Where the run comes from: git revision, versions, device, data hash, seeds.
        data: The card of the data that the results are of.
    """
    cells = prepared(results)
    pairs = pairs_in(cells)
    opening: list[Block] = [highlights(cells)]
    warnings = tuple(caveats(cells, history, data))
    if warnings:
        opening.append(Warnings(warnings))
    sections = [
        Section("At a glance", tuple(opening)),
        *_results(cells, pairs, data),
        *measures_section(cells, predictions, data),
        Section("Figures", _charts(cells, history)),
        *methods_section(cells),
        Section("How to read it", (Facts(wording.definitions(data)),)),
        *unfinished_section(cells),
        *data_section(data),
        *settings_section(settings or {}),
        *provenance_section(provenance or {}),
    ]
    return Report(wording.REPORT, _subtitle(pairs), tuple(sections))


def _subtitle(pairs: list[tuple[str, ...]]) -> str:
    if len(pairs) > _PAIRS_NAMED:
        return f"{len(pairs)} pairs of teacher and student"
    return ", ".join(pair_name(pair) for pair in pairs)


def _results(
    cells: pd.DataFrame, pairs: list[tuple[str, ...]], data: DataCard | None
) -> list[Section]:
    chapter = Section("Results", (Text(wording.RESULTS),))
    return [chapter, *(_pair(of_pair(cells, pair), pair, data) for pair in pairs)]


def _pair(cells: pd.DataFrame, pair: tuple[str, ...], data: DataCard | None) -> Section:
    blocks: list[Block] = [Tabular("Reference rows", shown_references(cells, data))]
    compared = compared_policies(cells)
    for policy in compared:
        table = shown_comparison(cells, policy)
        last = policy == compared[-1] and POOLED in set(table["distiller"])
        note = f"{POOLED}: {wording.pooled_note(table['distiller'])}" if last else ""
        title = f"{policy} against {REFERENCE}, paired over seeds"
        blocks.append(Tabular(title, table, note=note))
    levels = shown_levels(cells, data)
    if len(levels):
        blocks.append(Tabular("Distilled students", levels, names=2))
    selection = shown_selection(cells)
    blocks.append(Tabular(f"Which epoch: test {TITLE}", selection, names=2, note=wording.BEST))
    return Section(pair_name(pair), tuple(blocks), level=PART)


def _charts(cells: pd.DataFrame, history: pd.DataFrame) -> tuple[Block, ...]:
    return (
        Chart("gain", wording.GAIN, gains(cells)),
        Chart("learning-curves", wording.LEARNING_CURVES, learning_curves(history, cells)),
        Chart("gate-rates", wording.GATE_RATES, gate_rates(history, cells)),
    )
