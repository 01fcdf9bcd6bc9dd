"""A store with a finished cell of the toy study, and a model of colour pictures in a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from odd_pictures import write_odd
from sakd.data import DataCard, Prepared, Splits, Splitting, open_dataset, prepare
from sakd.foundation.sealing import read_sealed, write_sealed
from sakd.study.bench import Bench
from sakd.study.networks import fresh_network
from sakd.study.store import CellStore
from sakd.study.train import run_training
from sakd.study.trainings import Training
from sakd.training.progress import Progress
from sakd.weights.saved import Weights, save_weights

COLOUR = "resnet8"


@pytest.fixture(scope="session")
def trained(
    tmp_path_factory: pytest.TempPathFactory, splits: Splits, make_training: Callable[..., Training]
) -> tuple[Path, str]:
    """The store of a project with a finished cell, and the id of that."""
    store = tmp_path_factory.mktemp("data") / "06_models"
    cells = CellStore(store / "toys" / "cells")
    bench = Bench(Prepared(splits.val, splits.card), cells, torch.device("cpu"))
    training = make_training()
    run_training(training, bench, Progress("toys", 1))
    return store, training.id


@pytest.fixture(scope="session")
def pets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Splits]:
    """A folder with pictures of all kinds in two classes, and how the project prepares them."""
    place = tmp_path_factory.mktemp("pets")
    for seed, name in enumerate(("ant", "bee")):
        (place / name).mkdir()
        write_odd(place / name, seed)
    raw = open_dataset("folder", place).load()
    return place, prepare(raw, Splitting(0.25, test_fraction=0.25), name="pets")


@pytest.fixture(scope="session")
def save_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Save a fresh network as a finished one would be."""

    def save(card: DataCard, name: str = COLOUR, **facts: object) -> Path:
        network = fresh_network(name, card)
        place = tmp_path_factory.mktemp("file") / "finished.safetensors"
        described = {"network": name, "data": card.to_json(), **facts}
        save_weights(Weights(network.state_dict(), described), place)
        return place

    return save


@pytest.fixture
def edit_card() -> Callable[..., None]:
    """Change the card of a file of weights; None removes an entry."""

    def edit(path: Path, **entries: object) -> None:
        card = path.with_suffix(".json")
        content = read_sealed(card) | entries
        write_sealed(card, {name: value for name, value in content.items() if value is not None})

    return edit
