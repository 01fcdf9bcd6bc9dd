"""Datasets of torchvision, read by name through its own classes."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import datasets
from torchvision.datasets.utils import verify_str_arg

from sakd.data import Dataset, open_dataset
from sakd.foundation.errors import UserError


@pytest.fixture
def fashion(tmp_path: Path, draw: Callable[..., np.ndarray]) -> Path:
    """Ten training images and two test images of FashionMNIST, in the published form."""
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for seed, (name, count) in enumerate({"train": 20, "t10k": 2}.items()):
        labels = np.arange(count, dtype=np.uint8) % 10
        head, shape = struct.pack(">ii", 2049, count), struct.pack(">iiii", 2051, count, 28, 28)
        (raw / f"{name}-labels-idx1-ubyte").write_bytes(head + labels.tobytes())
        images = draw(seed, count, 28, 28).tobytes()
        (raw / f"{name}-images-idx3-ubyte").write_bytes(shape + images)
    return tmp_path


class Fake(datasets.FakeData):
    """Few and small random images, as torchvision draws them."""

    def __init__(self) -> None:
        super().__init__(size=150, image_size=(3, 6, 5), num_classes=2)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    monkeypatch.setattr(datasets, "FakeData", Fake)
    return open_dataset("torchvision:FakeData", Path())


def test_images_labels_and_classes_are_those_of_torchvision(fashion: Path, draw) -> None:
    raw = open_dataset("torchvision:FashionMNIST", fashion).load()
    assert raw.test is not None
    assert torch.equal(raw.train.images[:, 0], torch.from_numpy(draw(0, 20, 28, 28)))
    assert torch.equal(raw.test.images[:, 0], torch.from_numpy(draw(1, 2, 28, 28)))
    assert raw.train.labels.tolist() == [*range(10), *range(10)]
    assert raw.classes == tuple(datasets.FashionMNIST.classes)
    assert raw.source == "torchvision:FashionMNIST, train and test as torchvision reads them"


def test_a_class_of_torchvision_is_given_the_arguments_that_it_needs(fashion: Path) -> None:
    raw = (fashion / "FashionMNIST" / "raw").rename(fashion / "raw")
    (fashion / "EMNIST").mkdir()
    raw = raw.rename(fashion / "EMNIST" / "raw")
    for file in list(raw.iterdir()):
        file.rename(raw / f"emnist-digits-{file.name.replace('t10k', 'test')}")
    digits = open_dataset("torchvision:EMNIST", fashion, arguments={"split": "digits"})
    assert digits.slug == "torchvision_EMNIST_split_digits"
    read = digits.load()
    assert read.test is not None
    assert (len(read.train), len(read.test)) == (20, 2)
    assert read.classes == tuple("0123456789")
    mnist = open_dataset("torchvision:EMNIST", fashion, arguments={"split": "mnist"})
    assert mnist.fingerprint() != digits.fingerprint()


def test_images_are_resized_where_that_is_asked_for(fashion: Path) -> None:
    raw = open_dataset("torchvision:FashionMNIST", fashion, size=16).load()
    assert raw.train.shape == (1, 16, 16)


def test_a_dataset_that_draws_its_images_is_the_same_twice(fake: Dataset) -> None:
    first, second = fake.load(), fake.load()
    assert torch.equal(first.train.images, second.train.images)
    assert first.train.shape == (3, 6, 5)
    assert first.test is None
    assert first.classes == ("0", "1")
    expected = [Fake()[number][1] for number in range(150)]
    assert first.train.labels.tolist() == [int(label) for label in expected]


def test_the_label_can_be_a_file_name(fake: Dataset) -> None:
    assert fake.slug == "torchvision_FakeData"


def test_the_fingerprint_follows_name_size_and_files(fashion: Path) -> None:
    def fingerprint(item: str = "FashionMNIST", **options: Any) -> str:
        return open_dataset(f"torchvision:{item}", fashion, **options).fingerprint()

    before = fingerprint()
    assert fingerprint() == before
    assert len({before, fingerprint("KMNIST"), fingerprint(size=8)}) == 3
    (fashion / "FashionMNIST" / "raw" / "train-labels-idx1-ubyte").write_bytes(b"?")
    assert fingerprint() != before


def test_files_that_are_there_are_not_downloaded(fashion: Path) -> None:
    open_dataset("torchvision:FashionMNIST", fashion, download=True).fetch()


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
        ("DTD", {"splits": {"train": 1}}, r"data.options.splits of torchvision:DTD: .*string"),
    ],
)
def test_arguments_that_a_class_does_not_take_are_refused(
    item: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        open_dataset(f"torchvision:{item}", Path(), **options)


class Halves(Fake):
    """Different images by ``split``, of which torchvision's classes check the value."""

    def __init__(self, root: Path, split: str = "first") -> None:
        verify_str_arg(split, "split", ("first", "middle", "last"))
        super().__init__()
        self.random_offset = 150 * ("first", "middle", "last").index(split)


def test_splits_are_asked_for_by_the_names_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "FakeData", Halves)
    with pytest.raises(UserError, match=r"'train' for argument split.*first.*options.splits"):
        open_dataset("torchvision:FakeData", Path()).load()
    splits = {"train": "first", "val": "last", "test": "middle"}
    raw = open_dataset("torchvision:FakeData", Path(), splits=splits).load()
    for part, split in ((raw.train, "first"), (raw.val, "last"), (raw.test, "middle")):
        assert part is not None
        expected = np.asarray(Halves(Path(), split)[0][0]).transpose(2, 0, 1)
        assert torch.equal(part.images[0], torch.from_numpy(expected.copy()))


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
    fake: Dataset, monkeypatch: pytest.MonkeyPatch, place: str, failure: Exception, message: str
) -> None:
    def fail(*_given: object, **_options: object) -> None:
        raise failure

    monkeypatch.setattr(Fake, place, fail)
    with pytest.raises(UserError, match=message):
        fake.load()


def test_nothing_is_downloaded_unless_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Eager(Fake):
        def __init__(self, root: Path, download: bool = True) -> None:
            super().__init__()
            self.size = 20
            asked.append((root, download))

    class Relaying(Eager):
        def __init__(self, root: Path, **kwargs: bool) -> None:
            super().__init__(root, **kwargs)

    for kind in (Eager, Relaying):
        monkeypatch.setattr(datasets, "FakeData", kind)
        for download in (False, True):
            open_dataset("torchvision:FakeData", tmp_path, download=download).load()
    assert [given for _, given in asked] == [False, True, False, True]
    assert {root for root, _ in asked} == {tmp_path}


def test_a_class_that_torchvision_does_not_download_is_refused(
    tmp_path: Path, write_folder
) -> None:
    write_folder(tmp_path, splits=".")
    assert open_dataset("torchvision:ImageFolder", tmp_path).load().classes == ("ant", "bee")
    message = "does not download ImageFolder; set data.download to false, and put its files into"
    with pytest.raises(UserError, match=message):
        open_dataset("torchvision:ImageFolder", tmp_path, download=True).load()


def test_pictures_that_torchvision_opens_are_converted_by_the_rules_of_all(
    tmp_path: Path, write_folder, deep_png
) -> None:
    top = write_folder(tmp_path, splits=".")
    for number, file in enumerate(sorted(top.rglob("*.png"))):
        file.write_bytes(deep_png(np.full((8, 8), 500 * number + 4)))
    raw = open_dataset("torchvision:ImageFolder", top).load()
    assert raw.train.shape == (1, 8, 8)
    assert any("levels 0 to 4095" in note for note in raw.notes)


def test_one_class_is_refused(monkeypatch: pytest.MonkeyPatch, fake: Dataset) -> None:
    monkeypatch.setattr(Fake, "__getitem__", lambda *_given: (Image.new("L", (4, 4)), 0))
    monkeypatch.setattr(Fake, "__len__", lambda _self: 3)
    with pytest.raises(UserError, match="one class, '0'; at least 2 can be told apart"):
        fake.load()


def test_targets_that_are_no_classes_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Boxes(Fake):
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
