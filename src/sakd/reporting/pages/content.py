"""The content of a report, the one source of the Markdown and the HTML page."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from sakd.data import DataCard
from sakd.reporting.pages import wording
from sakd.reporting.pages.background import (
    provenance_section,
    settings_section,
    unfinished_section,
)
from sakd.reporting.pages.cells import (
    cells_section,
)
from sakd.reporting.pages.data_card import data_section
from sakd.reporting.pages.definitions import definitions
from sakd.reporting.pages.front import front_section
from sakd.reporting.pages.headline import highlights
from sakd.reporting.pages.measures import measures_section
from sakd.reporting.pages.methods import methods_section
from sakd.reporting.pages.origin import Origin
from sakd.reporting.pages.pairs import pair_sections
from sakd.reporting.pages.published import published_section
from sakd.reporting.pages.routing import Routing, routing_section
from sakd.reporting.pages.sections import (
    Block,
    Facts,
    Report,
    Section,
    Warnings,
)
from sakd.reporting.pages.shipping import SUBJECT, what_to_ship
from sakd.reporting.pages.study import outline, study_section
from sakd.reporting.pages.sweeps import sweeps_section
from sakd.reporting.tables.caveats import caveats, image_caveats
from sakd.reporting.tables.display import (
    pairs_in,
)
from sakd.reporting.tables.frames import every, pair_name
from sakd.reporting.tables.outcomes import MARGIN, Outcomes
from sakd.reporting.tables.verdicts import QUESTIONS, Verdict, verdicts

_PAIRS_NAMED = 3

MAIN = tuple(QUESTIONS)[:2]
"""The subjects of the verdicts that come first: distillation, adaptivity, and what to ship."""


def report(
    results: pd.DataFrame,
    history: pd.DataFrame,
    *,
    predictions: pd.DataFrame | None = None,
    routing: Routing | None = None,
    origin: Origin | None = None,
    data: DataCard | None = None,
    margin: float = MARGIN,
) -> Report:
    """Collect everything that a report holds, in reading order.

    Args:
        results: One line per cell.
        history: One line per (cell, epoch).
        predictions: One line per (cell or teacher, test image), as the evaluation makes them.
        routing: Which training images distilled; None where nothing is known of it.
        origin: Settings, command and machine; None where nothing is known of them.
        data: The card of the data that the results are of.
        margin: The difference in accuracy that does not matter, as a fraction.
    """
    outcomes = Outcomes.of(results, history, predictions, margin)
    cells, origin = outcomes.cells, origin or Origin()
    pairs = pairs_in(cells)
    judged = verdicts(outcomes)
    first = [one for one in judged if one.subject.removesuffix(one.under) in MAIN]
    others = [one for one in judged if one not in first]
    answers = (*_said(first), (SUBJECT, what_to_ship(outcomes)), *_said(others))
    opening: list[Block] = [Facts(answers), highlights(outcomes, judged)]
    warnings = (*caveats(results, history, data), *image_caveats(outcomes))
    if warnings:
        opening.append(Warnings(warnings))
    sections = [
        Section("At a glance", tuple(opening)),
        study_section(cells, origin, data),
        *pair_sections(outcomes, history, data),
        *sweeps_section(results),
        *published_section(cells, origin.settings),
        *measures_section(cells, predictions, data),
        *front_section(cells, data),
        *routing_section(cells, routing, data),
        *methods_section(cells),
        Section("How to read it", (Facts(definitions(data)),), folded=True),
        *unfinished_section(every(results)),
        *cells_section(cells, origin.place),
        *data_section(data),
        *settings_section(origin.settings),
        *provenance_section(origin.provenance),
    ]
    return Report(wording.REPORT, _subtitle(pairs), outline(origin, data), tuple(sections))


def _said(judged: Sequence[Verdict]) -> tuple[tuple[str, str], ...]:
    return tuple((one.subject, one.text.removeprefix(f"{one.subject}: ")) for one in judged)


def _subtitle(pairs: list[tuple[str, ...]]) -> str:
    if len(pairs) > _PAIRS_NAMED:
        return f"{len(pairs)} pairs of teacher and student"
    return ", ".join(pair_name(pair) for pair in pairs)
