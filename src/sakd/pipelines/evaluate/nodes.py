"""Nodes that read the test split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.utils import find_kedro_project

from sakd.data import Parts
from sakd.foundation.vocabulary import DONE
from sakd.measures.names import teacher_id
from sakd.pipelines.evaluate.trained import TrainedGrid
from sakd.pipelines.found import asked_teacher
from sakd.pipelines.images import lessons, prepared
from sakd.pipelines.keys import settings_of_cells, teacher_settings
from sakd.reporting.tables.columns import (
    MEASURES,
    ORIGIN,
    PLACES,
    SETTING,
    SPENT,
    TEST,
    TEST_BEST,
    TEST_VAL_SELECTED,
    VAL,
)
from sakd.study.deviations import shown
from sakd.study.evaluation import Evaluator, trained_name
from sakd.study.grid import Cell
from sakd.study.images import predictions
from sakd.study.parameters import Parameters
from sakd.study.store import CellStore, Entry, Record
from sakd.study.sweeps import own_settings
from sakd.study.teachers import Teacher
from sakd.weights.saved import Weights


def measure_teacher(
    test: Parts,
    development: Parts,
    card: Mapping[str, Any],
    cells: CellStore,
    weights: Weights,
    teacher: Teacher,
    parameters: Parameters,
) -> dict[str, Any]:
    """Measure the teacher on the test split, and what it costs.

    Raises:
        UserError: The teacher of these data and parameters has not been trained.
    """
    images = lessons(development, card, parameters.data)
    weights = asked_teacher(teacher, weights, images, cells)
    evaluator = _evaluator(test, development, card, cells, parameters)
    found = evaluator.teacher(teacher.name, weights).measures
    cost = evaluator.cost(teacher.network, weights)
    settings = teacher_settings(teacher, card)
    spent = {name: weights.card[name] for name in SPENT if name in weights.card}
    return {"teacher": teacher.name, **found, **cost, **spent, "settings": settings}


def collect(*rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Collect the records of all rows: those of every cell, by its name."""
    return {cell: record for row in rows for cell, record in row.items()}


def measure_students(
    test: Parts,
    development: Parts,
    card: Mapping[str, Any],
    cells: CellStore,
    parameters: Parameters,
    *made: Weights | Mapping[str, Mapping[str, Any]],
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Measure every cell of the grid; join the epochs and the images of those that are done.

    Args:
        test: The test images.
        development: The images that the cells learned from, on which their keys depend.
        card: Of the data.
        cells: Where the weights are.
        parameters: All of them.
        made: The weights of every teacher of the grid, and the records of all rows.

    Returns:
        A line for every cell, with its key and a hash of the settings that all were evaluated
        with; a line for every epoch; and a line for every test image of every cell and teacher.

    Raises:
        UserError: A cell of the grid was not trained with these data and parameters.
    """
    evaluator = _evaluator(test, development, card, cells, parameters)
    settings = settings_of_cells(parameters, card)
    grid = TrainedGrid.find(development, card, cells, parameters, made)
    answers = {
        teacher_id(parameters.data.slug, name): evaluator.teacher(name, weights)
        for name, weights in grid.teachers.items()
    }
    lines, histories = [], []
    for trained in grid.rows():
        for cell, record in trained.records.items():
            entry = cells.of(cell, record.key)
            line = {"cell": cell.id, "key": record.key, **asdict(cell)}
            line |= {"settings": settings[cell.id]}
            line |= {SETTING: shown(own_settings(cell, parameters))}
            line |= _places(entry)
            line |= {
                "network": trained_name(cell),
                "status": record.status,
                "epochs": record.epochs,
                VAL: record.val_metric,
            }
            if record.status == DONE:
                training = trained.trainings[cell]
                answers[cell.id] = evaluator.cell(cell, record, trained.teacher, training)
                line |= {**answers[cell.id].measures, **evaluator.cost(trained_name(cell))}
                histories.append(pd.DataFrame(entry.history()).assign(cell=cell.id))
            lines.append(line | _origin(record) | {"error": record.error})
    evaluation = pd.DataFrame(lines, columns=_columns(lines))
    return evaluation, _joined(histories), predictions(answers, evaluator.test.images)


def _evaluator(
    test: Parts,
    development: Parts,
    card: Mapping[str, Any],
    cells: CellStore,
    parameters: Parameters,
) -> Evaluator:
    test_split = prepared("test", test, card, parameters.data)
    val_split = prepared("val", development, card, parameters.data)
    device = parameters.find_device()
    return Evaluator(cells, test_split, val_split, device, parameters.corruptions)


def _places(entry: Entry) -> dict[str, str]:
    """Tell where the record and the weights of a cell are, if there are any, in the project."""
    root = find_kedro_project(entry.folder) or Path()
    files = (path.resolve() if path.exists() else None for path in (entry.outcome, entry.last))
    shown = ("" if path is None else _relative(path, root.resolve()) for path in files)
    return dict(zip(PLACES, shown, strict=True))


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _origin(record: Record) -> dict[str, Any]:
    """Tell when and where a cell was trained, and for how long."""
    known = record.provenance
    shown = (known.get(name, "") for name in ("git_revision", "torch", "device", "platform"))
    made = dict(zip(ORIGIN, (record.ended, *shown), strict=True))
    return {"seconds": record.seconds, **made}


COLUMNS = (
    "cell",
    "key",
    *PLACES,
    *(field.name for field in fields(Cell)),
    SETTING,
    "network",
    "status",
    "epochs",
    VAL,
    TEST,
    TEST_VAL_SELECTED,
    TEST_BEST,
    *MEASURES,
    "seconds",
    *ORIGIN,
    "error",
    "settings",
)


def _columns(lines: list[dict[str, Any]]) -> list[str]:
    """Name the columns of a table of cells: after `TEST_BEST`, those of further networks."""
    known = list(COLUMNS)
    found = (name for line in lines for name in line if name.startswith(f"{TEST}_"))
    further = [name for name in dict.fromkeys(found) if name not in known]
    place = known.index(TEST_BEST) + 1
    return [*known[:place], *further, *known[place:]]


def _joined(histories: list[pd.DataFrame]) -> pd.DataFrame:
    if not histories:
        return pd.DataFrame(columns=["cell", "epoch"])
    history = pd.concat(histories, ignore_index=True)
    return history[["cell", *history.columns.drop("cell")]]
