"""Networks and methods that cannot take the data are found before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from sakd.data import DataCard, ImageSet, Splits
from sakd.data.splits.restricted import card_of_classes
from sakd.foundation.errors import UserError
from sakd.pipelines.teacher.nodes import make_teacher
from sakd.study.grid import Grid
from sakd.study.networks import check_network_fits
from sakd.study.parameters import Parameters
from sakd.study.store import CellStore

NETS = """
from sakd.networks.zoo.resnet import resnet

def stubborn():
    return resnet(5, 1, depth=8, widths=(2, 2, 3, 4))
"""


@pytest.fixture(autouse=True)
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "door_nets.py").write_text(NETS)
    monkeypatch.syspath_prepend(tmp_path)


def tensors(images: ImageSet) -> dict[str, Tensor]:
    return {"images": images.images, "labels": images.labels}


@pytest.mark.parametrize(
    ("student", "complaint"),
    [
        ("vgg8-imagenet", "vgg8-imagenet: the network cannot take images of 1x8x8: "),
        ("torchvision:vit_b_32", "torchvision:vit_b_32: .*Expected 224 .*image_size=64"),
        ("door_nets:stubborn", r"door_nets:stubborn: .* the data has 3 classes"),
        ("sys:exit", "sys:exit: it cannot be made: SystemExit"),
    ],
)
def test_the_first_training_looks_at_every_network_of_the_grid(
    student: str, complaint: str, splits: Splits, tmp_path: Path
) -> None:
    parts: dict[str, Any] = {"train": lambda: tensors(splits.train), "val": lambda: {}}
    parameters = Parameters(grid=Grid(pairs=("resnet14/resnet8", f"resnet14/{student}")))
    store = CellStore(tmp_path / "cells")
    with pytest.raises(UserError, match=f"^{complaint}"):
        make_teacher(
            parts, splits.card.to_json(), store, parameters.teacher_of("resnet14"), parameters
        )
    assert not store.root.exists()


def test_the_first_training_looks_at_every_method_of_the_grid(
    splits: Splits, tmp_path: Path
) -> None:
    parts: dict[str, Any] = {"train": lambda: tensors(splits.train), "val": lambda: {}}
    parameters = Parameters(grid=Grid(distillers=("kd", "dkd")))
    card = card_of_classes(splits.card, splits.card.classes[:2])
    store = CellStore(tmp_path / "cells")
    with pytest.raises(UserError, match=r"'dkd': beta 8\.0 has no effect on 2 classes"):
        make_teacher(parts, card.to_json(), store, parameters.teacher_of("resnet20"), parameters)
    assert not store.root.exists()


@pytest.mark.parametrize("name", ["resnet8", "vgg8", "torchvision:resnet18"])
def test_networks_that_fit_pass(name: str, splits: Splits) -> None:
    card: DataCard = splits.card
    check_network_fits(name, len(card.classes), card.image_shape)
