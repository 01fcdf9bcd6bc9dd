"""How good a network is."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from sakd.data import DataCard, ImageSet, evaluation_batches
from sakd.store import Entry, Record
from sakd.weights import load_weights
from sakd.zoo import fresh_network


@torch.no_grad()
def top1(
    network: nn.Module, images: ImageSet, card: DataCard, device: torch.device | str = "cpu"
) -> float:
    """The fraction of ``images`` whose most likely class is the right one.

    The network is put into evaluation mode and left there.
    """
    network.eval()
    batches = evaluation_batches(images, card.mean, card.std, batch_size=500, device=device)
    correct = sum((network(x).argmax(dim=1) == y).sum() for x, y in batches)
    return int(correct) / len(images)


def evaluate_cell(
    entry: Entry, record: Record, test: ImageSet, card: DataCard, device: torch.device
) -> dict[str, float]:
    """The test accuracy of a finished cell, found once and kept in its folder.

    Returns:
        ``test_top1`` of the last epoch, ``test_top1_val_selected`` of the epoch that was best on
        validation, and ``test_top1_best``, the highest of these and of the epochs whose weights
        were kept: chosen on test, so optimistic.
    """
    known = entry.evaluation(record.key)
    if known is None or known["test_sha256"] != card.sha256:
        network = fresh_network(record.facts["student"], card).to(device)

        def measure(path: Path) -> float:
            network.load_state_dict(dict(load_weights(path).state))
            return top1(network, test, card, device)

        last, selected = measure(entry.last), measure(entry.best)
        kept = [measure(path) for path in sorted(entry.epochs.glob("*.safetensors"))]
        known = {
            "key": record.key,
            "test_sha256": card.sha256,
            "test_top1": last,
            "test_top1_val_selected": selected,
            "test_top1_best": max(last, selected, *kept),
        }
        entry.save_evaluation(known)
    return {name: value for name, value in known.items() if name.startswith("test_top1")}
