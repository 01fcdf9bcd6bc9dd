"""Nodes that report."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from sakd.data import DataCard
from sakd.foundation.errors import UserError, require
from sakd.foundation.machine import provenance, resolve_device
from sakd.foundation.vocabulary import DONE
from sakd.reporting import (
    console_table,
    gains,
    gate_rates,
    learning_curves,
    report,
    report_html,
    report_markdown,
    summary,
)
from sakd.study.parameters import Parameters


def tabulate(
    parameters: Parameters, evaluation: pd.DataFrame, *teachers: Mapping[str, Any]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Give the results, one line per cell of the grid with its teacher's accuracy; and a summary.

    Raises:
        UserError: A cell of the grid was not evaluated, or a teacher not by this version.
    """
    cells = [cell.id for cell in parameters.grid.cells(parameters.data.slug)]
    for missing in sorted(set(cells).difference(evaluation["cell"])):
        raise UserError(f"{missing} was not evaluated: run --pipelines evaluate with this grid")
    results = evaluation.set_index("cell").loc[cells].reset_index()
    for measure in ("test_top1", "test_balanced"):
        for teacher in teachers:
            message = f"{teacher['teacher']} has no {measure}: run --pipelines evaluate again"
            require(measure in teacher, message)
        found = {teacher["teacher"]: teacher[measure] for teacher in teachers}
        results[f"teacher_{measure}"] = results["teacher"].map(found)
    return results, summary(results)


def draw(results: pd.DataFrame, history: pd.DataFrame) -> tuple[go.Figure, go.Figure, go.Figure]:
    """Learning curves, gate rates, gains."""
    return learning_curves(history, results), gate_rates(history, results), gains(results)


def write(
    results: pd.DataFrame, history: pd.DataFrame, card: Mapping[str, Any], parameters: Parameters
) -> tuple[str, str]:
    """The report as Markdown and as a page."""
    made_with = {
        **provenance(str(resolve_device(parameters.device))),
        "seeds": ", ".join(map(str, parameters.grid.seeds)),
    }
    content = report(results, history, provenance=made_with, data=DataCard.from_json(card))
    return report_markdown(content), report_html(content)


def announce(results: pd.DataFrame, card: Mapping[str, Any], _markdown: str, _html: str) -> None:
    """Print the table, when everything is written.

    Raises:
        UserError: cells failed.
    """
    sys.stdout.write(f"\n{console_table(results, DataCard.from_json(card))}\n")
    failed = results.loc[results["status"] != DONE, "cell"]
    if len(failed):
        cells = ", ".join(failed)
        raise UserError(f"{len(failed)} of {len(results)} cells failed, see the report: {cells}")
