"""Nodes that read the test split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sakd.config import Settings
from sakd.data import DataCard
from sakd.evaluation import HeldOut, evaluate_cell, evaluate_teacher
from sakd.grid import Cell
from sakd.pipelines.development import Parts
from sakd.runtime import resolve_device
from sakd.store import DONE, CellStore, Record
from sakd.weights import Weights

CELL = ("dataset", "teacher", "student", "distiller", "policy", "seed")


def measure_teacher(
    test: Parts,
    card: Mapping[str, Any],
    cells: CellStore,
    teacher: Weights,
    network: str,
    settings: Settings,
) -> dict[str, Any]:
    """The teacher's accuracy on the test split."""
    split = HeldOut(settings.data.images(test["test"]()), DataCard.from_json(card))
    device = resolve_device(settings.device)
    accuracy = evaluate_teacher(cells, network, teacher, split, device)
    return {"teacher": network, "test_top1": accuracy}


def measure_students(
    test: Parts,
    card: Mapping[str, Any],
    cells: CellStore,
    settings: Settings,
    *rows: Mapping[str, Mapping[str, Any]],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The test accuracies of every cell, and the epochs of those that are done."""
    device = resolve_device(settings.device)
    split = HeldOut(settings.data.images(test["test"]()), DataCard.from_json(card))
    lines, histories = [], []
    for record in (Record(**content) for row in rows for content in row.values()):
        cell = Cell(**{name: record.facts[name] for name in CELL})
        line = {"cell": cell.id, **{name: record.facts[name] for name in CELL}}
        line |= {"status": record.status, "epochs": record.epochs, "val_top1": record.val_top1}
        if record.status == DONE:
            line |= evaluate_cell(cells, cell, record, split, device)
            history = cells.entry(cell.row, cell.id, record.key).history()
            histories.append(pd.DataFrame(history).assign(cell=cell.id))
        lines.append(line | {"seconds": record.seconds, "error": record.error})
    return pd.DataFrame(lines, columns=COLUMNS), _joined(histories)


COLUMNS = (
    "cell",
    *CELL,
    "status",
    "epochs",
    "val_top1",
    "test_top1",
    "test_top1_val_selected",
    "test_top1_best",
    "seconds",
    "error",
)


def _joined(histories: list[pd.DataFrame]) -> pd.DataFrame:
    if not histories:
        return pd.DataFrame(columns=["cell", "epoch"])
    history = pd.concat(histories, ignore_index=True)
    return history[["cell", *history.columns.drop("cell")]]
