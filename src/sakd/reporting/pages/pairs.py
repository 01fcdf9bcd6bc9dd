"""The results of every pair of teacher and student: tables and figures."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from sakd.data import DataCard
from sakd.reporting.figures.gain import gains_of
from sakd.reporting.figures.gates import gate_rates
from sakd.reporting.figures.learning import learning_curves
from sakd.reporting.pages import wording
from sakd.reporting.pages.cells import Anchors, anchors, line_links, links_of, reference_links
from sakd.reporting.pages.sections import PART, Block, Chart, Section, Tabular, Text
from sakd.reporting.tables.columns import TITLE
from sakd.reporting.tables.display import (
    pairs_in,
    shown_comparison,
    shown_levels,
    shown_references,
    shown_selection,
)
from sakd.reporting.tables.frames import pair_file, pair_name
from sakd.reporting.tables.methods import of_pair_and_its_teachers, rivals, shown_methods
from sakd.reporting.tables.outcomes import Outcomes
from sakd.reporting.tables.paired import POOLED
from sakd.reporting.tables.verdicts import contrasts

Pair = tuple[str, ...]


def pair_sections(
    outcomes: Outcomes, history: pd.DataFrame, data: DataCard | None
) -> list[Section]:
    """Show the results of each pair; those of several pairs are folded."""
    known, pairs = anchors(outcomes.cells), pairs_in(outcomes.cells)
    chapter = Section("Results", (Text(wording.RESULTS),))
    parts = [
        Section(
            pair_name(pair),
            tuple(_blocks(outcomes, history, pair, data, known)),
            level=PART,
            folded=len(pairs) > 1,
        )
        for pair in pairs
    ]
    return [chapter, *parts]


def _blocks(
    every: Outcomes, history: pd.DataFrame, pair: Pair, data: DataCard | None, known: Anchors
) -> Iterator[Block]:
    outcomes = every.of_pair(pair)
    cells = outcomes.cells
    references = shown_references(outcomes, data)
    links = reference_links(references.text, pair, known)
    yield Tabular(pair_file("reference", pair), "Reference rows", *references, links=links)
    yield Chart(pair_file("gain", pair), wording.GAIN, gains_of(outcomes))
    yield from _comparisons(outcomes, pair, known)
    yield from _methods(of_pair_and_its_teachers(every, pair), pair)
    levels = shown_levels(cells, data)
    if len(levels.text):
        links = line_links(levels.text, pair, known)
        file = pair_file("levels", pair)
        yield Tabular(file, "Distilled students", *levels, names=2, links=links)
    selection = shown_selection(cells)
    links = line_links(selection.text, pair, known)
    file, caption = pair_file("epochs", pair), f"Which epoch: test {TITLE}"
    yield Tabular(file, caption, *selection, names=2, note=wording.BEST, links=links)
    curves = learning_curves(history, cells)
    yield Chart(pair_file("learning-curves", pair), wording.LEARNING_CURVES, curves)
    yield Chart(pair_file("gate-rates", pair), wording.GATE_RATES, gate_rates(history, cells))


def _methods(outcomes: Outcomes, pair: Pair) -> Iterator[Tabular]:
    for rival in rivals(outcomes.cells):
        title = f"Methods against {rival.title}, paired over seeds and images"
        file = pair_file(f"methods_against_{rival.distiller}", pair)
        yield Tabular(file, title, *shown_methods(outcomes, rival), note=wording.METHODS)


def _comparisons(outcomes: Outcomes, pair: Pair, known: Anchors) -> Iterator[Tabular]:
    compared = contrasts(outcomes.cells)
    for contrast in compared:
        table = shown_comparison(outcomes, contrast)
        distillers = table.text["distiller"]
        last = contrast == compared[-1] and POOLED in set(distillers)
        note = f"{POOLED}: {wording.pooled_note(distillers)}" if last else ""
        title = f"{contrast.first} against {contrast.second}, paired over seeds and images"
        policies = (contrast.second, contrast.first)
        columns = {f"{policy} %": policy for policy in policies}
        links = links_of(table.text, pair, columns, known)
        file = pair_file(f"{contrast.first}_against_{contrast.second}", pair)
        yield Tabular(file, title, *table, note=note, links=links)
