"""How hard training images are for finished networks, against losses computed image by image."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from sakd.data import Splits
from sakd.foundation.errors import UserError
from sakd.foundation.randomness import seeded
from sakd.foundation.vocabulary import DONE
from sakd.study import routing
from sakd.study.grid import Cell
from sakd.study.networks import fresh_network
from sakd.study.routing import Examiner, spots_of
from sakd.study.store import CellStore, Record
from sakd.weights.saved import Weights, save_weights

CPU = torch.device("cpu")


def network(name: str, seed: int, splits: Splits) -> torch.nn.Module:
    with seeded(seed):
        return fresh_network(name, splits.card).eval()


@torch.no_grad()
def log_chances(name: str, seed: int, splits: Splits, images: list[int]) -> Tensor:
    """Ask a network about one image at a time."""
    asked, card = network(name, seed, splits), splits.card
    pixels = (splits.train.images[images] / 255 - card.mean[0]) / card.std[0]
    return torch.cat([asked(image[None]).double().log_softmax(dim=1) for image in pixels])


@pytest.fixture
def trained(
    tmp_path: Path, splits: Splits, make_cell: Callable[..., Cell]
) -> tuple[Examiner, list[tuple[Cell, Record]], Weights]:
    """The student alone, and a distilled one; their teacher is of seed 9."""
    store, made = CellStore(tmp_path), []
    for seed, method in enumerate((("none", "none"), ("kd", "better"))):
        cell = make_cell(*method)
        record = Record(cell.id, f"key{seed}", DONE, {}, ended="today")
        state = network("resnet8", seed, splits).state_dict()
        path = store.entry(cell.row, cell.id, record.key).last
        save_weights(Weights(state, {"network": "resnet8"}), path)
        made.append((cell, record))
    teacher = Weights(network("resnet14", 9, splits).state_dict())
    return Examiner(store, splits.train, splits.card, CPU), made, teacher


@pytest.mark.parametrize("most", [100, 7])
def test_losses_and_divergence_are_those_of_each_image(
    trained: tuple[Examiner, list[tuple[Cell, Record]], Weights],
    splits: Splits,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
) -> None:
    monkeypatch.setattr(routing, "MOST", most)
    examiner, (alone, distilled), teacher = trained
    found = examiner.difficulty(*distilled, teacher, alone)
    images, count = found["image"].tolist(), len(splits.train)
    assert images == (list(range(count)) if most > count else [k * count // 7 for k in range(7)])
    labels = splits.train.labels[images][:, None]
    networks = {"alone": ("resnet8", 0), "student": ("resnet8", 1), "teacher": ("resnet14", 9)}
    logs = {name: log_chances(*of, splits, images) for name, of in networks.items()}
    for name, values in logs.items():
        loss = -values.gather(1, labels)[:, 0]
        np.testing.assert_allclose(found[name], loss, rtol=1e-4, atol=1e-6)
    chances = logs["teacher"].exp()
    divergence = (chances * (logs["teacher"] - logs["student"])).sum(dim=1)
    np.testing.assert_allclose(found["disagreement"], divergence, rtol=1e-4, atol=1e-6)


def test_they_are_measured_once_and_again_after_another_training(
    trained: tuple[Examiner, list[tuple[Cell, Record]], Weights],
) -> None:
    examiner, (alone, (cell, record)), teacher = trained
    found = examiner.difficulty(cell, record, teacher, alone)
    fresh = replace(examiner)
    shutil.rmtree(examiner.cells.root / cell.row)
    pd.testing.assert_frame_equal(fresh.difficulty(cell, record, teacher, alone), found)
    with pytest.raises(UserError, match="no weights at"):
        fresh.difficulty(cell, replace(record, ended="tomorrow"), teacher, alone)


def test_without_a_student_alone_there_is_no_loss_of_it(
    trained: tuple[Examiner, list[tuple[Cell, Record]], Weights],
) -> None:
    examiner, (_, distilled), teacher = trained
    found = examiner.difficulty(*distilled, teacher, None)
    assert set(found) == {"image", "student", "teacher", "disagreement"}


def test_decisions_are_read_with_the_shares_of_every_epoch() -> None:
    images = pd.DataFrame(
        {
            "image": [0, 1],
            "label": [1, 0],
            "rate/stage1": [0.5, 1.0],
            "seen/stage1": [2, 2],
            "rate/logits": [0.0, 0.5],
            "seen/logits": [2, 2],
        }
    )
    gates = [{"gate_rate/stage1": 0.5, "gate_rate/logits": 0.5}, {"gate_rate/stage1": 1.0}]
    stage, logits = spots_of(images, gates)
    assert (stage.name, logits.name) == ("stage1", "logits")
    assert stage.rate.tolist() == [0.5, 1.0]
    assert logits.seen.tolist() == [2, 2]
    assert (stage.epochs.tolist(), logits.epochs.tolist()) == ([0.5, 1.0], [0.5])
    assert (stage.last, logits.last) == (1.0, 0.5)
    weights = [{"gate_rate/stage1": 1.0, "gate_rate/logits": 1, "effective_share/stage1": 0.7}]
    assert [spot.last for spot in spots_of(images, weights)] == [0.7, 1.0]
