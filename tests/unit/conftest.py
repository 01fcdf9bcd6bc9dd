"""A study in miniature: three classes of random 8x8 images, networks that train in a blink."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from sakd.data import ImageSet, Prepared, RawData, Splits, Splitting, prepare
from sakd.data.parameters import DataParameters
from sakd.foundation.randomness import seeded
from sakd.objectives import Optimisation
from sakd.objectives.parameters import Distillation, Routing
from sakd.study.bench import Bench
from sakd.study.grid import Cell
from sakd.study.lessons import Lessons
from sakd.study.networks import fresh_network
from sakd.study.recipe import Recipe
from sakd.study.store import CellStore
from sakd.study.trainings import Training, cell_training
from sakd.training.progress import Progress
from sakd.weights.saved import Weights

ROOT = Path(__file__).parents[2]
CLASSES = ("ant", "bee", "cat")
TRAINING = Recipe(
    epochs=2,
    batch_size=8,
    optimisation=Optimisation(lr=0.05),
    keep_epochs=1,
    checkpoint_seconds=0,
)
DISTILLATION = Distillation()
ROUTING = Routing(same_family_bias=0)


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def splits() -> Splits:
    """12 images of each class to train on, 4 for val, 4 for test."""
    source = torch.Generator().manual_seed(3)
    labels = torch.arange(len(CLASSES)).repeat(20)
    images = torch.randint(256, (len(labels), 1, 8, 8), dtype=torch.uint8, generator=source)
    raw = RawData(ImageSet(images, labels), None, CLASSES, "made for the test")
    made = prepare(raw, Splitting(0.25, test_fraction=0.2), name="toys")
    return replace(made, card=replace(made.card, asked=DataParameters().asked, parts=made.hashes()))


@pytest.fixture(scope="session")
def lessons(splits: Splits) -> Lessons:
    """All training images, and 2 of each class that are set aside."""
    source, labels = torch.Generator().manual_seed(4), torch.arange(len(CLASSES)).repeat(2)
    images = torch.randint(256, (len(labels), 1, 8, 8), dtype=torch.uint8, generator=source)
    return Lessons(Prepared(splits.train, splits.card), aside=ImageSet(images, labels))


@pytest.fixture(scope="session")
def teacher(splits: Splits) -> Weights:
    """An untrained teacher: its knowledge does not matter here."""
    with seeded(0, "teacher"):
        return Weights(fresh_network("resnet14", splits.card).state_dict())


@pytest.fixture(scope="session")
def make_cell() -> Callable[..., Cell]:
    """Name a cell of the toy study."""

    def make(distiller: str = "kd", policy: str = "always", seed: int = 0) -> Cell:
        return Cell("toys", "resnet14", "resnet8", distiller, policy, seed)

    return make


@pytest.fixture(scope="session")
def make_training(
    make_cell: Callable[..., Cell], lessons: Lessons, teacher: Weights
) -> Callable[..., Training]:
    """Make the training of a cell, by ``TRAINING`` and the defaults unless others are named."""

    def make(
        distiller: str = "kd",
        policy: str = "always",
        seed: int = 0,
        *,
        weights: Weights = teacher,
        images: Lessons = lessons,
        distillation: Distillation = DISTILLATION,
        routing: Routing = ROUTING,
        **training: Any,
    ) -> Training:
        return cell_training(
            make_cell(distiller, policy, seed),
            weights,
            images,
            replace(TRAINING, **training),
            distillation=distillation,
            routing=routing,
        )

    return make


@pytest.fixture
def bench(splits: Splits, tmp_path: Path) -> Bench:
    """A fresh store."""
    val = Prepared(splits.val, splits.card)
    return Bench(val, CellStore(tmp_path / "cells"), torch.device("cpu"))


@pytest.fixture
def progress() -> Progress:
    """Progress as lines of the log."""
    return Progress("toys", 1)


@pytest.fixture(scope="session")
def same() -> Callable[[Any, Any], bool]:
    """Compare two state dicts: the names, and the bits of the tensors."""

    def compare(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
        return one.keys() == other.keys() and all(torch.equal(one[n], other[n]) for n in one)

    return compare
