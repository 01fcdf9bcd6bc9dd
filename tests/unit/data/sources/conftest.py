"""Datasets of torchvision that read no files."""

from pathlib import Path

import pytest
from torchvision import datasets

from sakd.data import Dataset, open_dataset


class Fake(datasets.FakeData):
    """Few and small random images, as torchvision draws them."""

    def __init__(self) -> None:
        super().__init__(size=150, image_size=(3, 6, 5), num_classes=2)


@pytest.fixture
def fake_class(monkeypatch: pytest.MonkeyPatch) -> type[Fake]:
    """Put a small class in place of torchvision's FakeData."""
    monkeypatch.setattr(datasets, "FakeData", Fake)
    return Fake


@pytest.fixture
def fake(fake_class: type[Fake], tmp_path: Path) -> Dataset:
    """Open it."""
    assert datasets.FakeData is fake_class
    return open_dataset("torchvision:FakeData", tmp_path)
