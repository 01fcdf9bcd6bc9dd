"""How good a network is."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from sakd.data import DataCard, Images, evaluation_batches
from sakd.networks.outside.names import slug
from sakd.study.grid import Cell
from sakd.study.networks import fresh_network, trained_network
from sakd.study.store import CellStore, Entry, Record
from sakd.weights.saved import Weights, load_weights

LARGEST_BATCH, BATCH_PIXELS = 500, 2**22  # images, and pixels of all of them: 83 of 224 x 224

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class HeldOut:
    """The test split, which is read here and nowhere else."""

    images: Images
    card: DataCard


@torch.no_grad()
def top1(
    network: nn.Module, images: Images, card: DataCard, device: torch.device | str = "cpu"
) -> float:
    """The fraction of ``images`` whose most likely class is the right one.

    The network is put into evaluation mode and left there.
    """
    network.eval()
    pixels = card.height * card.width
    count = max(1, min(LARGEST_BATCH, BATCH_PIXELS // pixels))
    batches = evaluation_batches(images, card.mean, card.std, batch_size=count, device=device)
    correct = sum((network(x).argmax(dim=1) == y).sum() for x, y in batches)
    return int(correct) / len(images)


def evaluate_cell(
    cells: CellStore, cell: Cell, record: Record, test: HeldOut, device: torch.device
) -> dict[str, float]:
    """The test accuracy of a finished cell, found once and kept in the store.

    Returns:
        ``test_top1`` of the last epoch, ``test_top1_val_selected`` of the epoch that was best on
        validation, and ``test_top1_best``, the highest of these and of the epochs whose weights
        were kept: chosen on test, so optimistic.
    """
    key = f"{record.key} {_key(test.card)}"
    found = cells.evaluation(cell.id, key)
    if found is None:
        entry = cells.entry(cell.row, cell.id, record.key)
        accuracy = _by_epoch(entry, record, test, device)
        found = {
            "key": key,
            "test_top1": accuracy[record.epochs],
            "test_top1_val_selected": accuracy[record.best_epoch],
            "test_top1_best": max(accuracy.values()),
        }
        cells.save_evaluation(cell.id, found)
        logger.info("%s: test %.2f %%", cell.id, 100 * accuracy[record.epochs])
    return {name: value for name, value in found.items() if name != "key"}


def evaluate_teacher(
    cells: CellStore, network: str, weights: Weights, test: HeldOut, device: torch.device
) -> float:
    """The test accuracy of a teacher, found once and kept in the store."""
    name = f"{test.card.name}-{slug(network)}-teacher"
    key = f"{weights.sha256()} {weights.card.get('statistics')} {_key(test.card)}"
    found = cells.evaluation(name, key)
    if found is None:
        trained = trained_network(network, test.card, weights).to(device)
        found = {"key": key, "test_top1": top1(trained, test.images, test.card, device)}
        cells.save_evaluation(name, found)
        logger.info("%s: test %.2f %%", name, 100 * found["test_top1"])
    accuracy: float = found["test_top1"]
    return accuracy


def _key(card: DataCard) -> str:
    """What of the data an accuracy depends on."""
    return f"{card.sha256} {card.normalisation}"


def _by_epoch(
    entry: Entry, record: Record, test: HeldOut, device: torch.device
) -> dict[int | None, float]:
    """The accuracy of every epoch whose weights are there, of the network that their card names."""
    name = load_weights(entry.last).card["network"]
    network = fresh_network(name, test.card).to(device)
    paths: dict[int | None, Path] = {
        int(path.stem): path for path in entry.epochs.glob("*.safetensors")
    }
    paths |= {record.best_epoch: entry.best, record.epochs: entry.last}
    accuracy = {}
    for epoch, path in paths.items():
        network.load_state_dict(dict(load_weights(path).state))
        accuracy[epoch] = top1(network, test.images, test.card, device)
    return accuracy
