from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from sakd.data import open_dataset
from sakd.data.sources.cifar import Cifar100
from sakd.foundation.errors import UserError

NAMES = [f"class {label}" for label in range(100)]
SIZE = (32, 32, 3)

Write = Callable[..., None]


@pytest.fixture
def encoded(encode, draw) -> Callable[..., bytes]:
    """Draw an image of CIFAR's size from a seed, and encode it."""
    return lambda seed, form="PNG": encode(draw(seed, *SIZE), form, lossless=True)


@pytest.fixture
def write(write_parquet) -> Write:
    """Write a file as CIFAR-100 has them."""

    def make(file: Path, images: list, labels: list, names: list | None = NAMES) -> None:
        coarse = [0] * len(labels)
        columns = {"fine_label": labels, "coarse_label": coarse}
        write_parquet(file, images, names, image="img", **columns)

    return make


@pytest.fixture
def folder(tmp_path: Path, write: Write, encoded) -> Path:
    """Three training images in two files and one test image, as PNG and WebP."""
    write(tmp_path / "train-1.parquet", [encoded(2, "WEBP")], [7])
    write(tmp_path / "train-0.parquet", [encoded(0), encoded(1)], [99, 0])
    write(tmp_path / "test-0.parquet", [encoded(3, "WEBP")], [5])
    return tmp_path


def cifar100(path: Path | None) -> Cifar100:
    return Cifar100(path=path, source="parquet")


def test_files_are_read_in_order_of_name_to_the_very_pixels(folder: Path, draw) -> None:
    raw = cifar100(folder).load()
    expected = np.stack([draw(k, *SIZE) for k in range(3)]).transpose(0, 3, 1, 2)
    assert torch.equal(raw.train.images, torch.from_numpy(expected))
    assert raw.train.labels.tolist() == [99, 0, 7]
    assert raw.test is not None
    assert raw.test.labels.tolist() == [5]
    assert raw.classes == tuple(NAMES)
    assert (raw.mean, raw.std) == ((0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761))


def test_without_names_the_classes_are_called_by_their_numbers(
    folder: Path, write: Write, encoded
) -> None:
    (folder / "train-1.parquet").unlink()
    write(folder / "train-0.parquet", [encoded(0)], [99], names=None)
    assert cifar100(folder).load().classes == tuple(str(label) for label in range(100))


def no_folder(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


def no_training_file(folder: Path) -> None:
    for file in folder.glob("train-*"):
        file.unlink()


def no_test_file(folder: Path) -> None:
    (folder / "test-0.parquet").unlink()


def not_parquet(folder: Path) -> None:
    (folder / "train-0.parquet").write_bytes(b"version https://git-lfs")


def empty_file(folder: Path) -> None:
    (folder / "train-0.parquet").write_bytes(b"")


def other_columns(folder: Path) -> None:
    pq.write_table(pa.table({"image": [b""], "label": [1]}), folder / "train-0.parquet")


def labels_as_text(folder: Path) -> None:
    table = pq.read_table(folder / "train-0.parquet")
    text = pa.array(["cat", "dog"])
    pq.write_table(table.set_column(1, "fine_label", text), folder / "train-0.parquet")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (no_folder, "no folder .*; allowed: one with train-"),
        (no_training_file, r"no train-\*.parquet in .*; put the parquet files"),
        (no_test_file, r"no test-\*.parquet in"),
        (not_parquet, "train-0.parquet is not a readable parquet file"),
        (empty_file, "train-0.parquet is not a readable parquet file"),
        (other_columns, "columns image: binary, label: int64; needed: img: struct<bytes"),
        (labels_as_text, "columns .*fine_label: string.*needed: .*fine_label: integer"),
    ],
)
def test_missing_or_other_files_are_found_at_the_door(
    folder: Path, spoil: Callable[[Path], None], message: str
) -> None:
    cifar100(folder).check()
    spoil(folder)
    with pytest.raises(UserError, match=message) as caught:
        cifar100(folder).check()
    assert "\n" not in str(caught.value)


GOOD, CUT, LARGE = "good", "cut", "large"  # what the test draws


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (
            [GOOD, b"no image"],
            [0, 1],
            "1 of 4 images .*: image 1 of .*train-0.parquet .*(cannot identify)",
        ),
        (
            [GOOD, CUT],
            [0, 1],
            "1 of 4 images .*: image 1 of .*train-0.parquet .*(truncated|broken)",
        ),
        ([GOOD, b""], [0, 1], "1 of 4 images .*: image 1 of .*train-0.parquet .*(no bytes)"),
        ([None, GOOD], [0, 1], r"image 0 of .* \(no bytes\); replace"),
        ([LARGE], [0], "64 x 64 pixels; allowed: 32 x 32"),
        ([b"", GOOD, b"no", None, b"", b""], [0] * 6, "5 of 8 .*parquet .*; replace"),
        ([GOOD], [100], "fine_label 100 in row 0 of .*; allowed: 0 to 99"),
        ([GOOD, GOOD], [3, -1], "fine_label -1 in row 1"),
        ([GOOD, GOOD], [3, None], "fine_label None in row 1"),
    ],
)
def test_a_bad_image_or_label_is_named(
    folder: Path, write: Write, encode, draw, images, labels, message: str
) -> None:
    good = encode(draw(0, *SIZE))
    drawn = {GOOD: good, CUT: good[:200], LARGE: encode(draw(0, 64, 64, 3))}
    images = [drawn.get(image, image) for image in images]
    write(folder / "train-0.parquet", images, labels)
    with pytest.raises(UserError, match=message) as caught:
        cifar100(folder).load()
    assert "\n" not in str(caught.value)


def test_another_number_of_classes_is_refused(folder: Path, write: Write, encoded) -> None:
    (folder / "train-1.parquet").unlink()
    write(folder / "train-0.parquet", [encoded(0)], [0], names=["a", "b"])
    with pytest.raises(UserError, match="names 2 classes; CIFAR-100 has 100"):
        cifar100(folder).load()


def test_a_path_is_needed() -> None:
    with pytest.raises(UserError, match="cifar100 needs a path"):
        cifar100(None).check()


def test_parquet_files_cannot_be_downloaded(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot download parquet files; set download to false"):
        Cifar100(path=tmp_path, source="parquet", download=True)


def test_cifar10_has_a_label_column_of_its_own(tmp_path: Path, write_parquet, encoded) -> None:
    for split in ("train", "test"):
        file, names = tmp_path / f"{split}-0.parquet", NAMES[:10]
        write_parquet(file, [encoded(0)], names, image="img", label=[9])
    raw = open_dataset("cifar10", tmp_path, "parquet").load()
    assert raw.train.labels.tolist() == [9]
    assert raw.classes == tuple(NAMES[:10])
