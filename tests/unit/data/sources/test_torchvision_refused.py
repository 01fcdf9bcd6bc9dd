"""Datasets of torchvision that cannot be read are refused in one line."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from torchvision import datasets

from sakd.data import Dataset, open_dataset
from sakd.foundation.errors import UserError


def test_a_failed_download_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_given: object, **_options: object) -> None:
        raise OSError("network is unreachable")

    monkeypatch.setattr("torchvision.datasets.mnist.download_and_extract_archive", refuse)
    dataset = open_dataset("torchvision:MNIST", tmp_path, download=True)
    dataset.check()
    with pytest.raises(UserError, match=r"MNIST could not be downloaded to .*; try") as error:
        dataset.fetch()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("FashionMINST", "'torchvision:FashionMINST'; did you mean 'FashionMNIST'"),
        ("mnist", "'torchvision:mnist'; did you mean 'MNIST'"),
        ("VisionDataset", "has targets that are not class numbers; choose"),
        ("wrap_dataset_for_transforms_v2", "unknown dataset 'torchvision:wrap_dataset"),
        ("MNIST", r"MNIST could not be read from .* \(Dataset not found\); set data.download to"),
        ("VOCDetection", "could not be read from"),
        (
            "CocoDetection",
            "could not be read from .*annFile.*; give it the arguments that it needs",
        ),
        ("EMNIST", r"EMNIST could not be .*split.*, as in data.options.arguments.split=balanced"),
        (
            "EMNIST(split='digits')",
            "unknown dataset .*; its arguments are given as data.options.arg",
        ),
        ("DTD", "could not be read from"),
    ],
)
def test_datasets_that_cannot_be_read_are_refused_in_one_line(
    tmp_path: Path, name: str, message: str
) -> None:
    with pytest.raises(UserError, match=message) as error:
        open_dataset(f"torchvision:{name}", tmp_path).load()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("item", "options", "message"),
    [
        ("EMNIST", {"arguments": {"part": "x"}}, r"cannot be given part .*; allowed: split$"),
        ("EMNIST", {"arguments": {"train": True}}, r"cannot be given train .*; allowed: split$"),
        ("DTD", {"arguments": {"split": "val"}}, r"cannot be given split .*; allowed: partition$"),
        ("MNIST", {"splits": {"train": "train"}}, r"has no argument split; leave data.*splits out"),
        ("DTD", {"splits": {"test": "test"}}, r"splits names test; allowed: train, and val and"),
        ("DTD", {"splits": {"train": "a", "dev": "b"}}, r"splits names train, dev; allowed: train"),
        (
            "DTD",
            {"splits": {"train": 1}},
            r"splits of torchvision:DTD takes names with str",
        ),
    ],
)
def test_arguments_that_a_class_does_not_take_are_refused(
    item: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        open_dataset(f"torchvision:{item}", Path(), **options)


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (ModuleNotFoundError("No module named 'lmdb'"), "lmdb'.; install it, or choose another"),
        (AssertionError(), "could not be read from .* .AssertionError.; set data.download to true"),
        (KeyError("data"), "could not be read from .* .'data'.; set data.download to true"),
    ],
)
@pytest.mark.parametrize("place", ["__init__", "__getitem__"])
def test_any_error_in_a_class_of_torchvision_is_one_line(
    fake: Dataset,
    fake_class: type,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    failure: Exception,
    message: str,
) -> None:
    def fail(*_given: object, **_options: object) -> None:
        raise failure

    monkeypatch.setattr(fake_class, place, fail)
    with pytest.raises(UserError, match=message):
        fake.load()


def test_a_class_that_torchvision_does_not_download_is_refused(
    tmp_path: Path, write_folder
) -> None:
    write_folder(tmp_path, splits=".")
    assert open_dataset("torchvision:ImageFolder", tmp_path).load().classes == ("ant", "bee")
    message = "does not download ImageFolder; set data.download to false, and put its files into"
    with pytest.raises(UserError, match=message):
        open_dataset("torchvision:ImageFolder", tmp_path, download=True).load()


def test_one_class_is_refused(
    monkeypatch: pytest.MonkeyPatch, fake: Dataset, fake_class: type
) -> None:
    monkeypatch.setattr(fake_class, "__getitem__", lambda *_given: (Image.new("L", (4, 4)), 0))
    monkeypatch.setattr(fake_class, "__len__", lambda _self: 3)
    with pytest.raises(UserError, match="one class, '0'; at least 2 can be told apart"):
        fake.load()


def test_targets_that_are_not_classes_are_refused(
    tmp_path: Path, fake_class: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Boxes(fake_class):
        def __getitem__(self, index: int) -> tuple[Any, Any]:
            return super().__getitem__(index)[0], {"box": index}

    monkeypatch.setattr(datasets, "FakeData", Boxes)
    with pytest.raises(UserError, match="has targets that are not class numbers; choose"):
        open_dataset("torchvision:FakeData", tmp_path).load()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (None, "torchvision:MNIST needs data.path"),
        (Path("/nowhere"), "no folder /nowhere; set data.download to true, or put the files"),
    ],
)
def test_a_folder_is_needed(path: Path | None, message: str) -> None:
    with pytest.raises(UserError, match=message):
        open_dataset("torchvision:MNIST", path).check()
