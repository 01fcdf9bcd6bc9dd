import hashlib
import pickle
from pathlib import Path
from urllib.request import Request

import numpy as np
import pytest
import torch
from torchvision.datasets import CIFAR10, CIFAR100

from sakd.data import open_dataset
from sakd.data.sources.cifar import Cifar100
from sakd.foundation.errors import UserError

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 3, 32, 32), dtype=np.uint8)
NAMES = [f"class {label}" for label in range(100)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two training images and one test image in the published form, with checksums to match."""
    contents = {
        "train": {"data": PIXELS[:2].reshape(2, -1), "fine_labels": [4, 99]},
        "test": {"data": PIXELS[2:].reshape(1, -1), "fine_labels": [7]},
        "meta": {"fine_label_names": NAMES},
    }
    checksums = {}
    (tmp_path / "cifar-100-python").mkdir()
    for name, content in contents.items():
        data = pickle.dumps(content)
        (tmp_path / "cifar-100-python" / name).write_bytes(data)
        checksums[name] = hashlib.md5(data, usedforsecurity=False).hexdigest()
    monkeypatch.setattr(CIFAR100, "train_list", [["train", checksums["train"]]])
    monkeypatch.setattr(CIFAR100, "test_list", [["test", checksums["test"]]])
    monkeypatch.setattr(CIFAR100, "meta", CIFAR100.meta | {"md5": checksums["meta"]})
    return tmp_path


def cifar100(path: Path | None, *, download: bool = False) -> Cifar100:
    return Cifar100(path=path, source="torchvision", download=download)


def test_the_published_files_are_read_to_the_very_pixels(folder: Path) -> None:
    raw = cifar100(folder).load()
    assert torch.equal(raw.train.images, torch.from_numpy(PIXELS[:2]))
    assert raw.train.labels.tolist() == [4, 99]
    assert raw.test is not None
    assert torch.equal(raw.test.images, torch.from_numpy(PIXELS[2:]))
    assert raw.classes == tuple(NAMES)
    assert (raw.mean, raw.std) == ((0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761))


def test_files_that_are_there_are_not_downloaded(folder: Path, no_network: list[str]) -> None:
    assert len(cifar100(folder, download=True).load().train) == 2
    assert no_network == []


def test_missing_files_are_found_at_the_door_and_the_message_says_how_to_get_them(tmp_path) -> None:
    with pytest.raises(UserError, match=r"set download to true, or put .* or choose source"):
        cifar100(tmp_path).check()


def test_a_damaged_file_is_never_unpickled(folder: Path) -> None:
    (folder / "cifar-100-python" / "train").write_bytes(pickle.dumps(0))
    with pytest.raises(UserError, match="no intact CIFAR-100 in"):
        cifar100(folder).load()


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record what would be downloaded, and fail as without a network."""
    asked: list[str] = []

    def refuse(request: Request, **_options: object) -> None:
        asked.append(request.full_url)
        raise OSError("network is unreachable")

    monkeypatch.setattr("torch.hub.urlopen", refuse)
    return asked


def test_a_failed_download_is_one_clear_error(tmp_path: Path, no_network: list[str]) -> None:
    dataset = cifar100(tmp_path / "new", download=True)
    dataset.check()
    with pytest.raises(
        UserError, match=r"could not be downloaded .*network is unreachable.*; try again, or get it"
    ) as e:
        dataset.load()
    assert "\n" not in str(e.value)
    assert len(no_network) == 1


@pytest.mark.parametrize("download", [False, True])
def test_a_file_is_no_folder(tmp_path: Path, download: bool) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="file"):
        cifar100(tmp_path / "file", download=download).check()


def test_a_path_is_needed_to_download_to() -> None:
    with pytest.raises(UserError, match="cifar100 needs a path"):
        cifar100(None, download=True).check()


def test_the_message_of_an_unknown_source_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no source 'tfds'; allowed: torchvision, parquet"):
        Cifar100(path=tmp_path, source="tfds")


def test_the_fingerprint_follows_the_content_of_the_files(folder: Path) -> None:
    before = cifar100(folder).fingerprint()
    file = folder / "cifar-100-python" / "test"
    file.touch()
    assert cifar100(folder).fingerprint() == before
    file.write_bytes(file.read_bytes() + b".")
    assert cifar100(folder).fingerprint() != before


def test_only_missing_files_are_fetched(folder: Path, no_network: list[str]) -> None:
    cifar100(folder, download=True).fetch()
    assert no_network == []
    with pytest.raises(UserError, match="could not be downloaded"):
        cifar100(folder / "new", download=True).fetch()
    assert len(no_network) == 1
    with pytest.raises(UserError, match="set download to true"):
        cifar100(folder / "new").fetch()


def test_cifar10_is_read_likewise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"class {label}" for label in range(10)]
    batches = {f"data_batch_{k}": PIXELS[:1] for k in range(1, 6)} | {"test_batch": PIXELS[1:]}
    contents = {
        name: {"data": images.reshape(len(images), -1), "labels": list(range(len(images)))}
        for name, images in batches.items()
    }
    checksums = {}
    (tmp_path / "cifar-10-batches-py").mkdir()
    dataset = open_dataset("cifar10", tmp_path)
    for name, content in (contents | {"batches.meta": {"label_names": names}}).items():
        with pytest.raises(UserError, match=r"no intact CIFAR-10 in .*; set download to true, or"):
            dataset.check()
        data = pickle.dumps(content)
        (tmp_path / "cifar-10-batches-py" / name).write_bytes(data)
        checksums[name] = hashlib.md5(data, usedforsecurity=False).hexdigest()
    dataset.check()
    train = [[name, checksums[name]] for name in contents if name != "test_batch"]
    monkeypatch.setattr(CIFAR10, "train_list", train)
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", checksums["test_batch"]]])
    monkeypatch.setattr(CIFAR10, "meta", CIFAR10.meta | {"md5": checksums["batches.meta"]})
    raw = dataset.load()
    assert torch.equal(raw.train.images, torch.from_numpy(PIXELS[:1]).repeat(5, 1, 1, 1))
    assert raw.test is not None
    assert torch.equal(raw.test.images, torch.from_numpy(PIXELS[1:]))
    assert raw.test.labels.tolist() == [0, 1]
    assert raw.classes == tuple(names)
    assert raw.source == "CIFAR-10, python version, as published"
