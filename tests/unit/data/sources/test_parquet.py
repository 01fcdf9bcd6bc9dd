"""Parquet files of your own: columns, classes and splits are found, or asked for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from sakd.data.sources.parquet import Parquet
from sakd.foundation.errors import UserError

NAMES = ["ant", "bee"]
LABELS = [0, 1, 1, 0, 1, 0]


@pytest.fixture
def images(encode, draw) -> list[bytes]:
    """Six small pictures."""
    return [encode(draw(seed)) for seed in range(len(LABELS))]


@pytest.fixture
def folder(tmp_path: Path, write_parquet, images) -> Path:
    """Six images to train on, and two of val and test each."""
    write_parquet(tmp_path / "train-0.parquet", images[:4], NAMES, label=LABELS[:4])
    write_parquet(tmp_path / "train-1.parquet", images[4:], NAMES, label=LABELS[4:])
    for split in ("validation", "test"):
        write_parquet(tmp_path / f"{split}-0.parquet", images[:2], NAMES, label=LABELS[:2])
    return tmp_path


def parquet(path: Path, **options: Any) -> Parquet:
    return Parquet(path, "files", **options)


def test_columns_classes_and_splits_are_found(folder: Path, draw) -> None:
    raw = parquet(folder).load()
    assert raw.classes == ("ant", "bee")
    assert raw.train.labels.tolist() == LABELS
    assert torch.equal(raw.train.images[5], torch.from_numpy(draw(5)).permute(2, 0, 1))
    assert raw.val is not None
    assert raw.test is not None
    assert (len(raw.val), len(raw.test)) == (2, 2)
    assert parquet(folder).has_test()
    (folder / "test-0.parquet").unlink()
    assert not parquet(folder).has_test()


def test_without_names_the_classes_are_numbered(tmp_path: Path, write_parquet, images) -> None:
    write_parquet(tmp_path / "train-0.parquet", images, digit=LABELS)
    assert parquet(tmp_path).load().classes == ("0", "1")


def test_of_several_columns_one_is_named(tmp_path: Path, write_parquet, images) -> None:
    columns = {"fine": LABELS, "coarse": LABELS[::-1]}
    write_parquet(tmp_path / "train-0.parquet", images, NAMES, image="photo", **columns)
    with pytest.raises(UserError, match=r"label columns fine, coarse; set data.options.label_col"):
        parquet(tmp_path).check()
    raw = parquet(tmp_path, label_column="coarse", image_column="photo").load()
    assert raw.train.labels.tolist() == LABELS[::-1]


def test_a_column_of_classes_goes_before_other_numbers(
    tmp_path: Path, write_parquet, images
) -> None:
    file = tmp_path / "train-0.parquet"
    write_parquet(file, images, NAMES, label=LABELS)
    pq.write_table(pq.read_table(file).append_column("year", pa.array([1999] * 6)), file)
    assert parquet(tmp_path).load().train.labels.tolist() == LABELS


def column_not_utf_8(folder: Path, _write, _images) -> None:
    file = folder / "test-0.parquet"
    file.write_bytes(file.read_bytes().replace(b"label", b"l\xff\xfe\xfdl"))


def no_train(folder: Path, _write, _images) -> None:
    for file in folder.glob("train*"):
        file.unlink()


def not_parquet(folder: Path, _write, _images) -> None:
    (folder / "test-0.parquet").write_bytes(b"version https://git-lfs")


def no_bytes(folder: Path, _write, _images) -> None:
    (folder / "train-1.parquet").write_bytes(b"")


def text_labels(folder: Path, write, images) -> None:
    write(folder / "train-0.parquet", images, label=["ant"] * 6)


def plain_bytes(folder: Path, _write, images) -> None:
    table = pa.table({"image": pa.array(images), "label": LABELS})
    pq.write_table(table, folder / "train-0.parquet")


def other_column(folder: Path, write, images) -> None:
    write(folder / "test-0.parquet", images, NAMES, target=LABELS)


def other_names(folder: Path, write, images) -> None:
    write(folder / "test-0.parquet", images, ["ant", "wasp"], label=LABELS)


def no_names(folder: Path, write, images) -> None:
    write(folder / "test-0.parquet", images, label=LABELS)


def too_high(folder: Path, write, images) -> None:
    write(folder / "train-1.parquet", images, NAMES, label=[0, 1, 0, 2, 0, 0])


def negative(folder: Path, write, images) -> None:
    write(folder / "test-0.parquet", images, NAMES, label=[-1] * 6)


def missing(folder: Path, write, images) -> None:
    write(folder / "test-0.parquet", images, NAMES, label=[0, None, 1, 1, 1, 1])


def one_image(folder: Path, write, images) -> None:
    (folder / "train-1.parquet").unlink()
    (folder / "test-0.parquet").unlink()
    write(folder / "train-0.parquet", images, NAMES, label=[0, 1, 0, 0, 0, 0])


def huge_label(folder: Path, write, images) -> None:
    for file in folder.glob("*.parquet"):
        file.unlink()
    write(folder / "train-0.parquet", images, label=[0, 1, 10**15, 0, 1, 0])


def other_names_in_one_file(folder: Path, write, images) -> None:
    write(folder / "train-1.parquet", images, ["bee", "ant"], label=LABELS)


def same_name_twice(folder: Path, write, images) -> None:
    for file in folder.glob("*.parquet"):
        write(file, images, ["ant", "ant"], label=LABELS)


def name_of_two_lines(folder: Path, write, images) -> None:
    for file in folder.glob("*.parquet"):
        write(file, images, ["ant", "be\ne"], label=LABELS)


def two_vals(folder: Path, write, images) -> None:
    write(folder / "val-0.parquet", images, NAMES, label=LABELS)


def one_of_three(folder: Path, _write, _images) -> None:
    (folder / "test-0.parquet").rename(folder / "test-00001-of-00003.parquet")


def no_rows(folder: Path, write, _images) -> None:
    write(folder / "test-0.parquet", [], NAMES, label=pa.array([], pa.int64()))


def unnamed_too_high(folder: Path, write, images) -> None:
    for file in folder.glob("*.parquet"):
        highest = 2 if file.name.startswith("test") else 1
        write(file, images[: highest + 2], label=[0, 1, highest, 0][: highest + 2])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (no_train, r"no train-\*.parquet in .*; allowed: one with train-"),
        (not_parquet, "test-0.parquet is not a readable parquet file"),
        (column_not_utf_8, "test-0.parquet "),
        (no_bytes, "train-1.parquet is not a readable parquet file"),
        (text_labels, "has columns image: struct.*label: string; needed: .* a label column: int"),
        (plain_bytes, "has columns image: binary, .*; needed: an image column: struct<bytes"),
        (other_column, "test-0.*target: int64; needed: image: struct.*> and label: integer"),
        (other_names, "test-0.parquet has classes that train has not: wasp; add them"),
        (no_names, "differ in the names of the classes; write one again"),
        (too_high, "label 2 in row 3 of .*train-1.parquet; allowed: 0 to 1"),
        (negative, "label -1 in row 0 of .*test-0.parquet; allowed: 0 to 1"),
        (missing, "label None in row 1 of .*test-0.parquet"),
        (one_image, "class 'bee' has 1 image for training; needed: 2 or more to split off test"),
        (unnamed_too_high, "label 2 in row 2 of .*test-0.parquet; allowed: 0 to 1"),
        (huge_label, "labels up to 1000000000000000, and no image of class 2; number the classes"),
        (other_names_in_one_file, "train-1.parquet and .*train-0.parquet differ in the names of"),
        (same_name_twice, "train-0.parquet has several classes called ant; give each a name of"),
        (
            name_of_two_lines,
            r"train-0.parquet calls classes 'be\\ne'; give each a name of one line",
        ),
        (two_vals, "has val and validation; keep one of them"),
        (one_of_three, "1 of 3 files such as .*test-00001-of-00003.parquet; get the others, or"),
        (no_rows, "test-0.parquet: no rows; add images"),
    ],
)
def test_wrong_files_are_refused_at_the_door_in_one_line(
    folder: Path, write_parquet, images, spoil: Callable[..., None], message: str
) -> None:
    parquet(folder).check()
    spoil(folder, write_parquet, images)
    with pytest.raises(UserError, match=message) as caught:
        parquet(folder).check()
    assert "\n" not in str(caught.value)


def test_labels_of_val_and_test_are_those_of_train_by_their_names(
    folder: Path, write_parquet, images
) -> None:
    write_parquet(folder / "test-0.parquet", images, NAMES[::-1], label=LABELS)
    write_parquet(folder / "validation-0.parquet", images[:2], ["bee"], label=[0, 0])
    raw = parquet(folder).load()
    assert raw.test is not None
    assert raw.val is not None
    assert raw.test.labels.tolist() == [1 - label for label in LABELS]
    assert raw.val.labels.tolist() == [1, 1]


def test_the_message_of_a_missing_column_names_the_columns(folder: Path) -> None:
    with pytest.raises(UserError, match=r"columns image: .*; needed: photo: struct"):
        parquet(folder, image_column="photo").check()
