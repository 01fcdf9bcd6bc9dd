"""Measure how good networks are; the test split is read here and nowhere else."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from sakd.data import DataCard, Images, Prepared, evaluation_batches
from sakd.distillers.method import Method
from sakd.networks.outside.names import slug
from sakd.study.grid import Cell
from sakd.study.networks import fresh_network, load, trained_network
from sakd.study.store import CellStore, Entry, Record
from sakd.weights.saved import Weights, load_weights

LARGEST_BATCH, BATCH_PIXELS = 500, 2**22  # images, and pixels of all of them: 83 of 224 x 224

logger = logging.getLogger(__name__)


class Accuracy(NamedTuple):
    """Fractions of images whose most likely class is the right one.

    Attributes:
        top1: Of all images.
        balanced: Of the images of each class, averaged over the classes that have images; on
            uneven classes it tells a network from one that knows only the largest.
    """

    top1: float
    balanced: float


@torch.no_grad()
def measure(
    network: nn.Module, images: Images, card: DataCard, device: torch.device | str = "cpu"
) -> Accuracy:
    """Measure ``network`` on ``images``, in one pass.

    Puts the network into evaluation mode and leaves it there.
    """
    network.eval()
    pixels = card.height * card.width
    count = max(1, min(LARGEST_BATCH, BATCH_PIXELS // pixels))
    batches = evaluation_batches(images, card.mean, card.std, batch_size=count, device=device)
    found = [(y, network(x).argmax(dim=1) == y) for x, y in batches]
    labels, right = (torch.cat(part).cpu() for part in zip(*found, strict=True))
    counts = torch.bincount(labels).double()
    recall = torch.bincount(labels[right], minlength=len(counts)) / counts
    return Accuracy(int(right.sum()) / len(images), float(recall.nanmean()))


def top1(
    network: nn.Module, images: Images, card: DataCard, device: torch.device | str = "cpu"
) -> float:
    """Give the fraction of ``images`` whose most likely class is the right one."""
    return measure(network, images, card, device).top1


def evaluate_cell(
    cells: CellStore, cell: Cell, record: Record, test: Prepared, device: torch.device
) -> dict[str, float]:
    """Measure a finished cell on the test split, once; the store keeps the result.

    Returns:
        ``test_top1`` and ``test_balanced`` of the last epoch, see `Accuracy`;
        ``test_top1_val_selected`` of the epoch that was best on validation; and
        ``test_top1_best``, the highest ``top1`` of these and of the epochs whose weights were
        kept: chosen on test, so optimistic.

    Raises:
        UserError: Its weights are missing, damaged, or of another network.
    """
    key = f"{record.key} {_key(test.card)}"
    found = cells.evaluation(cell.id, key)
    if found is None:
        entry = cells.entry(cell.row, cell.id, record.key)
        by_epoch = _by_epoch(_trained_name(cell), entry, record, test, device)
        last = by_epoch[record.epochs]
        found = {
            "key": key,
            "test_top1": last.top1,
            "test_top1_val_selected": by_epoch[record.best_epoch].top1,
            "test_top1_best": max(accuracy.top1 for accuracy in by_epoch.values()),
            "test_balanced": last.balanced,
        }
        cells.save_evaluation(cell.id, found)
        logger.info("%s: test %.2f %%", cell.id, 100 * last.top1)
    return _without_key(found)


def evaluate_teacher(
    cells: CellStore, network: str, weights: Weights, test: Prepared, device: torch.device
) -> dict[str, float]:
    """Measure a teacher on the test split, once; the store keeps the result.

    Args:
        cells: Where results are kept.
        network: The teacher's name, from the grid.
        weights: Of the teacher.
        test: The test split.
        device: Where to measure.

    Returns:
        ``test_top1`` and ``test_balanced``, see `Accuracy`.

    Raises:
        UserError: The weights are of another network.
    """
    name = f"{test.card.name}-{slug(network)}-teacher"
    key = f"{weights.sha256()} {weights.card.get('statistics')} {_key(test.card)}"
    found = cells.evaluation(name, key)
    if found is None:
        trained = trained_network(network, test.card, weights).to(device)
        accuracy = measure(trained, test.images, test.card, device)
        found = {"key": key, "test_top1": accuracy.top1, "test_balanced": accuracy.balanced}
        cells.save_evaluation(name, found)
        logger.info("%s: test %.2f %%", name, 100 * accuracy.top1)
    return _without_key(found)


def _key(card: DataCard) -> str:
    """Name what is measured, and all of the data that it depends on."""
    return f"{Accuracy._fields} {card.sha256} {card.normalisation}"


def _without_key(found: Mapping[str, Any]) -> dict[str, float]:
    return {name: value for name, value in found.items() if name != "key"}


def _trained_name(cell: Cell) -> str:
    """The network whose weights a cell keeps, from the grid alone."""
    return (
        cell.student
        if cell.alone
        else Method.of(cell.distiller).trained_name(cell.student, cell.teacher)
    )


def _by_epoch(
    name: str, entry: Entry, record: Record, test: Prepared, device: torch.device
) -> dict[int | None, Accuracy]:
    """The accuracy of the network called ``name`` after every epoch whose weights were kept."""
    network = fresh_network(name, test.card).to(device)
    paths: dict[int | None, Path] = {
        int(path.stem): path for path in entry.epochs.glob("*.safetensors")
    }
    paths |= {record.best_epoch: entry.best, record.epochs: entry.last}
    by_epoch = {}
    for epoch, path in paths.items():
        load(network, name, load_weights(path), source=path)
        by_epoch[epoch] = measure(network, test.images, test.card, device)
    return by_epoch
