"""Measure networks on the test split, which is read here only."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from sakd.data import DataCard, Prepared
from sakd.distillers.method import Method
from sakd.foundation.fingerprint import code_of
from sakd.networks.outside.names import slug
from sakd.study.grid import Cell
from sakd.study.networks import fresh_network, load, trained_network
from sakd.study.store import CellStore, Entry, Record
from sakd.tasks import CLASSIFICATION
from sakd.weights.saved import Weights, load_weights

TASK = CLASSIFICATION
TEST = f"test_{TASK.metric}"

logger = logging.getLogger(__name__)


def evaluate_cell(
    cells: CellStore, cell: Cell, record: Record, test: Prepared, device: torch.device
) -> dict[str, float]:
    """Measure a finished cell on the test split, once; the store keeps the result.

    Args:
        cells: The store of the cells.
        cell: The cell, which names the network.
        record: The record of its training.
        test: The test split.
        device: The device to measure on.

    Returns:
        The measures of the task after the last epoch, such as ``test_top1``; its metric after the
        epoch that was best on validation, ``test_top1_val_selected``; and ``test_top1_best``, the
        best over these and all epochs with kept weights, which is chosen on test and so optimistic.

    Raises:
        UserError: The weights are missing, damaged, or of another network.
    """
    key = f"{record.key} {_key(test.card)}"
    found = cells.evaluation(cell.id, key)
    if found is None:
        entry = cells.entry(cell.row, cell.id, record.key)
        by_epoch = _by_epoch(_trained_name(cell), entry, record, test, device)
        values = [measures[TASK.metric] for measures in by_epoch.values()]
        found = {
            "key": key,
            **_named(by_epoch[record.epochs]),
            f"{TEST}_val_selected": by_epoch[record.best_epoch][TASK.metric],
            f"{TEST}_best": values[TASK.best(values)],
        }
        cells.save_evaluation(cell.id, found)
        logger.info("%s: test %.2f %%", cell.id, 100 * found[TEST])
    return _without_key(found)


def evaluate_teacher(
    cells: CellStore, network: str, weights: Weights, test: Prepared, device: torch.device
) -> dict[str, float]:
    """Measure a teacher on the test split, once; the store keeps the result.

    Args:
        cells: The store of the results.
        network: The teacher's name, from the grid.
        weights: The teacher's weights.
        test: The test split.
        device: The device to measure on.

    Returns:
        The measures of the task, such as ``test_top1``.

    Raises:
        UserError: The weights are of another network.
    """
    name = f"{test.card.name}-{slug(network)}-teacher"
    key = f"{weights.sha256()} {weights.card.get('statistics')} {_key(test.card)}"
    found = cells.evaluation(name, key)
    if found is None:
        trained = trained_network(network, test.card, weights).to(device)
        measures = TASK.measures(trained, test, device)
        found = {"key": key, **_named(measures)}
        cells.save_evaluation(name, found)
        logger.info("%s: test %.2f %%", name, 100 * found[TEST])
    return _without_key(found)


def _key(card: DataCard) -> str:
    """Identify the measurement: the metric, its code, and the data."""
    code = json.dumps(code_of(type(TASK)))
    return f"{TASK.metric} {code} {card.sha256} {card.normalisation}"


def _named(measures: Mapping[str, float]) -> dict[str, float]:
    return {f"test_{name}": value for name, value in measures.items()}


def _without_key(found: Mapping[str, Any]) -> dict[str, float]:
    return {name: value for name, value in found.items() if name != "key"}


def _trained_name(cell: Cell) -> str:
    """Name the network whose weights a cell keeps, from the grid alone."""
    return (
        cell.student
        if cell.alone
        else Method.of(cell.distiller).trained_name(cell.student, cell.teacher)
    )


def _by_epoch(
    name: str, entry: Entry, record: Record, test: Prepared, device: torch.device
) -> dict[int | None, Mapping[str, float]]:
    """Measure the network called ``name`` after every epoch with kept weights."""
    network = fresh_network(name, test.card).to(device)
    paths: dict[int | None, Path] = {
        int(path.stem): path for path in entry.epochs.glob("*.safetensors")
    }
    paths |= {record.best_epoch: entry.best, record.epochs: entry.last}
    by_epoch: dict[int | None, Mapping[str, float]] = {}
    for epoch, path in paths.items():
        load(network, name, load_weights(path), source=path)
        by_epoch[epoch] = TASK.measures(network, test, device)
    return by_epoch
