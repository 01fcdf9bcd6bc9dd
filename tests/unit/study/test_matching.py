"""The head of a network is found by the number of classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sakd.data import Splits
from sakd.study.matching import class_tensors

HEAD = ["head.bias", "head.weight"]

CODE = """
from torch import nn
def fixed():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 10))
"""


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("resnet8", HEAD),
        ("torchvision:resnet18", ["fc.bias", "fc.weight"]),
        ("torchvision:squeezenet1_1", ["classifier.1.bias", "classifier.1.weight"]),
        ("heads:fixed", ["6.bias", "6.weight"]),
    ],
)
def test_the_head_is_all_that_depends_on_the_number_of_classes(
    name: str, head: list[str], splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "heads.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    card = replace(splits.card, height=32, width=32)
    assert sorted(class_tensors(name, card)) == head
