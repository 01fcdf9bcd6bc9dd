"""The content of a report, the one source of the Markdown and the HTML page."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from sakd.data import DataCard
from sakd.reporting.figures.gain import gains_of
from sakd.reporting.figures.gates import gate_rates
from sakd.reporting.figures.learning import learning_curves
from sakd.reporting.pages import wording
from sakd.reporting.pages.background import (
    provenance_section,
    settings_section,
    unfinished_section,
)
from sakd.reporting.pages.cells import (
    Anchors,
    anchors,
    cells_section,
    line_links,
    links_of,
    reference_links,
)
from sakd.reporting.pages.data_card import data_section
from sakd.reporting.pages.front import front_section
from sakd.reporting.pages.headline import highlights
from sakd.reporting.pages.measures import measures_section
from sakd.reporting.pages.methods import methods_section
from sakd.reporting.pages.origin import Origin
from sakd.reporting.pages.published import published_section
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
from sakd.reporting.pages.shipping import SUBJECT, what_to_ship
from sakd.reporting.pages.study import outline, study_section
from sakd.reporting.tables.caveats import caveats, image_caveats
from sakd.reporting.tables.columns import TITLE
from sakd.reporting.tables.display import (
    pairs_in,
    shown_comparison,
    shown_levels,
    shown_references,
    shown_selection,
)
from sakd.reporting.tables.frames import pair_file, pair_name
from sakd.reporting.tables.outcomes import MARGIN, Outcomes
from sakd.reporting.tables.paired import POOLED
from sakd.reporting.tables.verdicts import contrasts, verdicts

_PAIRS_NAMED = 3


def report(
    results: pd.DataFrame,
    history: pd.DataFrame,
    *,
    predictions: pd.DataFrame | None = None,
    origin: Origin | None = None,
    data: DataCard | None = None,
    margin: float = MARGIN,
) -> Report:
    """Collect everything that a report holds, in reading order.

    Args:
        results: One line per cell.
        history: One line per (cell, epoch).
        predictions: One line per (cell or teacher, test image), as the evaluation makes them.
        origin: Settings, command and machine; None where nothing is known of them.
        data: The card of the data that the results are of.
        margin: The difference in accuracy that does not matter, as a fraction.
    """
    outcomes = Outcomes.of(results, history, predictions, margin)
    cells, origin = outcomes.cells, origin or Origin()
    pairs = pairs_in(cells)
    judged = verdicts(outcomes)
    said = tuple((one.subject, one.text.removeprefix(f"{one.subject}: ")) for one in judged)
    verdict = (SUBJECT, what_to_ship(outcomes))
    opening: list[Block] = [Facts((*said, verdict)), highlights(outcomes, judged)]
    warnings = (*caveats(cells, history, data), *image_caveats(outcomes))
    if warnings:
        opening.append(Warnings(warnings))
    sections = [
        Section("At a glance", tuple(opening)),
        study_section(cells, origin, data),
        *_results(outcomes, pairs, data),
        *published_section(cells, origin.settings),
        *measures_section(cells, predictions, data),
        *front_section(cells),
        Section("Figures", _charts(outcomes, history)),
        *methods_section(cells),
        Section("How to read it", (Facts(wording.definitions(data)),)),
        *unfinished_section(cells),
        *cells_section(cells, origin.place),
        *data_section(data),
        *settings_section(origin.settings),
        *provenance_section(origin.provenance),
    ]
    return Report(wording.REPORT, _subtitle(pairs), outline(origin, data), tuple(sections))


def _subtitle(pairs: list[tuple[str, ...]]) -> str:
    if len(pairs) > _PAIRS_NAMED:
        return f"{len(pairs)} pairs of teacher and student"
    return ", ".join(pair_name(pair) for pair in pairs)


def _results(
    outcomes: Outcomes, pairs: list[tuple[str, ...]], data: DataCard | None
) -> list[Section]:
    chapter, known = Section("Results", (Text(wording.RESULTS),)), anchors(outcomes.cells)
    return [chapter, *(_pair(outcomes.of_pair(pair), pair, data, known) for pair in pairs)]


def _pair(
    outcomes: Outcomes, pair: tuple[str, ...], data: DataCard | None, known: Anchors
) -> Section:
    cells = outcomes.cells
    references = shown_references(outcomes, data)
    links = reference_links(references.text, pair, known)
    file = pair_file("reference", pair)
    blocks: list[Block] = [Tabular(file, "Reference rows", *references, links=links)]
    blocks += _comparisons(outcomes, pair, known)
    levels = shown_levels(cells, data)
    if len(levels.text):
        links = line_links(levels.text, pair, known)
        file = pair_file("levels", pair)
        blocks.append(Tabular(file, "Distilled students", *levels, names=2, links=links))
    selection = shown_selection(cells)
    links = line_links(selection.text, pair, known)
    file, caption = pair_file("epochs", pair), f"Which epoch: test {TITLE}"
    blocks.append(Tabular(file, caption, *selection, names=2, note=wording.BEST, links=links))
    return Section(pair_name(pair), tuple(blocks), level=PART)


def _comparisons(outcomes: Outcomes, pair: tuple[str, ...], known: Anchors) -> Iterator[Tabular]:
    compared = contrasts(outcomes.cells)
    for contrast in compared:
        table = shown_comparison(outcomes, contrast)
        distillers = table.text["distiller"]
        last = contrast == compared[-1] and POOLED in set(distillers)
        note = f"{POOLED}: {wording.pooled_note(distillers)}" if last else ""
        title = f"{contrast.first} against {contrast.second}, paired over seeds and images"
        policies = (contrast.second, contrast.first)
        columns = {f"{policy} %": policy for policy in policies} | {"points": contrast.first}
        links = links_of(table.text, pair, columns, known)
        file = pair_file(f"{contrast.first}_against_{contrast.second}", pair)
        yield Tabular(file, title, *table, note=note, links=links)


def _charts(outcomes: Outcomes, history: pd.DataFrame) -> tuple[Block, ...]:
    cells = outcomes.cells
    return (
        Chart("gain", wording.GAIN, gains_of(outcomes)),
        Chart("learning-curves", wording.LEARNING_CURVES, learning_curves(history, cells)),
        Chart("gate-rates", wording.GATE_RATES, gate_rates(history, cells)),
    )
