"""Datasets of torchvision, read by name through its own classes."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision import datasets
from torchvision.datasets.utils import verify_str_arg

from sakd.data import Dataset, open_dataset
from sakd.data.sources.torchvision_classes import TorchvisionClass
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


def test_a_dataset_that_draws_its_images_is_the_same_twice(fake: Dataset, fake_class: type) -> None:
    first, second = fake.load(), fake.load()
    assert torch.equal(first.train.images, second.train.images)
    assert first.train.shape == (3, 6, 5)
    assert first.test is None
    assert first.classes == ("0", "1")
    expected = [fake_class()[number][1] for number in range(150)]
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


def test_files_that_are_there_are_not_downloaded(
    fashion: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("asked for a download")

    monkeypatch.setattr(TorchvisionClass, "open", refuse)
    open_dataset("torchvision:FashionMNIST", fashion, download=True).fetch()


def test_splits_are_asked_for_by_the_names_given(
    fake_class: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Halves(fake_class):
        """Different images by ``split``, of which torchvision's classes check the value."""

        def __init__(self, root: Path, split: str = "first") -> None:
            verify_str_arg(split, "split", ("first", "middle", "last"))
            super().__init__()
            self.random_offset = 150 * ("first", "middle", "last").index(split)

    monkeypatch.setattr(datasets, "FakeData", Halves)
    with pytest.raises(UserError, match=r"'train' for argument split.*first.*options.splits"):
        open_dataset("torchvision:FakeData", Path()).load()
    splits = {"train": "first", "val": "last", "test": "middle"}
    raw = open_dataset("torchvision:FakeData", Path(), splits=splits).load()
    for part, split in ((raw.train, "first"), (raw.val, "last"), (raw.test, "middle")):
        assert part is not None
        expected = np.asarray(Halves(Path(), split)[0][0]).transpose(2, 0, 1)
        assert torch.equal(part.images[0], torch.from_numpy(expected.copy()))


def test_nothing_is_downloaded_unless_asked_for(
    tmp_path: Path, fake_class: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Eager(fake_class):
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


def test_only_sets_of_any_folder_are_named_by_it(tmp_path: Path) -> None:
    pets, others = tmp_path / "pets", tmp_path / "others"

    def slug(name: str, path: Path) -> str:
        return open_dataset(f"torchvision:{name}", path).slug

    assert slug("ImageFolder", pets) == slug("ImageFolder", tmp_path / "x" / ".." / "pets")
    assert slug("ImageFolder", pets) != slug("ImageFolder", others)
    assert slug("FashionMNIST", pets) == slug("FashionMNIST", others) == "torchvision_FashionMNIST"


def test_pictures_that_torchvision_opens_are_converted_by_the_rules_of_all(
    tmp_path: Path, write_folder, deep_png
) -> None:
    top = write_folder(tmp_path, splits=".")
    for number, file in enumerate(sorted(top.rglob("*.png"))):
        file.write_bytes(deep_png(np.full((8, 8), 500 * number + 4)))
    raw = open_dataset("torchvision:ImageFolder", top).load()
    assert raw.train.shape == (1, 8, 8)
    assert any("levels 0 to 4095" in note for note in raw.notes)
