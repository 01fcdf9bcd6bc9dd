"""The nodes of the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from sakd.data import DataCard
from sakd.foundation.errors import UserError, require
from sakd.foundation.machine import provenance
from sakd.foundation.vocabulary import DONE
from sakd.pipelines.keys import check_key, settings_of_cells, teacher_settings
from sakd.reporting import (
    Origin,
    Routing,
    gains,
    gate_rates,
    learning_curves,
    metric_files,
    picture_files,
    report,
    report_html,
    report_markdown,
    summary,
    table_files,
)
from sakd.reporting.tables.columns import OF_TEACHERS, SPENT, TEST, TEST_BALANCED, TEST_NLL
from sakd.reporting.tables.sweeps import CHOSEN, chosen
from sakd.study.parameters import Parameters
from sakd.study.sweeps import cells_of


def tabulate(
    parameters: Parameters,
    card: Mapping[str, Any],
    evaluation: pd.DataFrame,
    predictions: pd.DataFrame,
    *teachers: Mapping[str, Any],
) -> pd.DataFrame:
    """Give the results: one line per cell of the grid, with the accuracy of its teacher.

    Raises:
        UserError: A cell of the grid was not evaluated, a teacher not by this version, or one of
            them with other data or parameters.
    """
    cells = [cell.id for cell in cells_of(parameters)]
    for missing in sorted(set(cells).difference(evaluation["cell"])):
        raise UserError(f"{missing} was not evaluated: run --pipelines evaluate with this grid")
    results = evaluation.set_index("cell").loc[cells].reset_index()
    _check_settings(parameters, card, results)
    _check_teachers(parameters, card, teachers)
    done = results.loc[results["status"] == DONE, "cell"]
    for missing in sorted(set(done).difference(predictions["cell"])):
        raise UserError(f"{missing} has no predictions: run --pipelines evaluate again")
    found = results.drop(columns="settings").join(_of_teachers(teachers), on="teacher")
    return _marked(found) if parameters.data.fold is None else found


def bundle(**tables: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Hand on all tables of a split as one, which draws one line where there would be five."""
    return tables


def join(*splits: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, ...]:
    """Join the tables of several splits.

    Args:
        splits: The tables of each: results, history, predictions, routing and sheets, by name.

    Returns:
        One table of each kind, in the order in which the first split has them.
    """
    results, history, predictions, *others = (
        pd.concat([tables[name] for tables in splits], ignore_index=True) for name in splits[0]
    )
    names = dict.fromkeys(("cell", "content"), "category")  # by which they were kept small
    return _marked(results), history, predictions.astype(names), *others


def _marked(results: pd.DataFrame) -> pd.DataFrame:
    """Say which cells have what is chosen of a sweep, over all seeds; others have it anyway."""
    return results.assign(**{CHOSEN: chosen(results)})


def summarise(
    results: pd.DataFrame, predictions: pd.DataFrame
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Sum the results up, for machines: in one object, and in small files for DVC."""
    numbers = summary(results, predictions)
    return numbers, metric_files(numbers)


def _of_teachers(teachers: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Give a line of measures for each teacher, by its name."""
    for teacher in teachers:
        for measure in (TEST, TEST_BALANCED, TEST_NLL):
            message = f"{teacher['teacher']} has no {measure}: run --pipelines evaluate again"
            require(measure in teacher, message)
    found = pd.DataFrame(teachers, columns=None if teachers else ["teacher"]).set_index("teacher")
    return found.reindex(columns=[*OF_TEACHERS, *SPENT]).add_prefix("teacher_")


def _check_settings(parameters: Parameters, card: Mapping[str, Any], results: pd.DataFrame) -> None:
    expected = settings_of_cells(parameters, card)
    for line in results.to_dict("records"):
        check_key(line["cell"], line.get("settings"), expected[line["cell"]], made_by="evaluate")


def _check_teachers(
    parameters: Parameters, card: Mapping[str, Any], teachers: Iterable[Mapping[str, Any]]
) -> None:
    for teacher in teachers:
        name = teacher["teacher"]
        expected = teacher_settings(parameters.teacher_of(name), card)
        check_key(name, teacher.get("settings"), expected, made_by="evaluate")


def draw(
    results: pd.DataFrame,
    history: pd.DataFrame,
    predictions: pd.DataFrame,
    parameters: Parameters,
) -> tuple[go.Figure, go.Figure, go.Figure]:
    """Draw learning curves, gate rates and gains."""
    figures = learning_curves(history, results), gate_rates(history, results)
    return *figures, gains(results, history, predictions, parameters.report.margin / 100)


def write(
    results: pd.DataFrame,
    history: pd.DataFrame,
    predictions: pd.DataFrame,
    card: Mapping[str, Any],
    parameters: Parameters,
    origin: Origin,
    *routing: pd.DataFrame,
) -> tuple[str, str, dict[str, bytes], dict[str, bytes]]:
    """Write the report as Markdown and as a page, its tables and its figures as files.

    Args:
        results: One line per cell.
        history: One line per (cell, epoch).
        predictions: One line per (cell or teacher, test image).
        card: Of the data.
        parameters: All of them.
        origin: The command of the run, as far as it is known.
        routing: The two parts of a `Routing`.
    """
    content = report(
        results,
        history,
        predictions=predictions,
        routing=Routing(*routing) if routing else None,
        data=DataCard.from_json(card),
        origin=replace(
            origin,
            settings=asdict(parameters),
            defaults=asdict(Parameters()),
            made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            provenance=provenance(str(parameters.find_device())),
        ),
        margin=parameters.report.margin / 100,
    )
    files = table_files(content), picture_files(content)
    return report_markdown(content), report_html(content), *files
