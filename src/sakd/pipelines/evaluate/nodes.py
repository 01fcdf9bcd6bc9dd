"""Nodes that read the test split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import pandas as pd

from sakd.data import DataCard, Prepared
from sakd.foundation.errors import UserError
from sakd.foundation.machine import resolve_device
from sakd.foundation.vocabulary import DONE
from sakd.pipelines.inputs import Parts, check_origin
from sakd.study.evaluation import evaluate_cell, evaluate_teacher
from sakd.study.grid import Cell
from sakd.study.parameters import Parameters
from sakd.study.store import CellStore, Record
from sakd.weights.saved import Weights


def measure_teacher(
    test: Parts,
    card: Mapping[str, Any],
    cells: CellStore,
    teacher: Weights,
    network: str,
    parameters: Parameters,
) -> dict[str, Any]:
    """The teacher's accuracy on the test split.

    Raises:
        UserError: the teacher was trained on other data.
    """
    check_origin(network, teacher.card["data"]["sha256"], card, "teacher")
    split = Prepared(parameters.data.images(test["test"]()), DataCard.from_json(card))
    device = resolve_device(parameters.device)
    return {"teacher": network, **evaluate_teacher(cells, network, teacher, split, device)}


def measure_students(
    test: Parts,
    card: Mapping[str, Any],
    cells: CellStore,
    parameters: Parameters,
    *records: Mapping[str, Mapping[str, Any]],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The test accuracies of every cell of the grid, and the epochs of those that are done.

    Raises:
        UserError: the ``records`` have none of a cell of the grid, or one of other data.
    """
    device = resolve_device(parameters.device)
    split = Prepared(parameters.data.images(test["test"]()), DataCard.from_json(card))
    outcomes = {name: outcome for row in records for name, outcome in row.items()}
    lines, histories = [], []
    for cell in parameters.grid.cells(parameters.data.slug):
        if cell.id not in outcomes:
            raise UserError(f"{cell.id} was not trained: run --pipelines students with this grid")
        record = Record(**outcomes[cell.id])
        check_origin(cell.id, record.facts["data"], card, "students")
        line = {"cell": cell.id, **asdict(cell)}
        line |= {"status": record.status, "epochs": record.epochs, "val_top1": record.val_top1}
        if record.status == DONE:
            line |= evaluate_cell(cells, cell, record, split, device)
            history = cells.entry(cell.row, cell.id, record.key).history()
            histories.append(pd.DataFrame(history).assign(cell=cell.id))
        lines.append(line | {"seconds": record.seconds, "error": record.error})
    return pd.DataFrame(lines, columns=COLUMNS), _joined(histories)


COLUMNS = (
    "cell",
    *(field.name for field in fields(Cell)),
    "status",
    "epochs",
    "val_top1",
    "test_top1",
    "test_top1_val_selected",
    "test_top1_best",
    "test_balanced",
    "seconds",
    "error",
)


def _joined(histories: list[pd.DataFrame]) -> pd.DataFrame:
    if not histories:
        return pd.DataFrame(columns=["cell", "epoch"])
    history = pd.concat(histories, ignore_index=True)
    return history[["cell", *history.columns.drop("cell")]]
