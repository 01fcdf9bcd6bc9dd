"""A folder of another layout is refused before any image is read."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sakd.data.sources.folder import Folder
from sakd.foundation.errors import UserError


def gone(top: Path) -> None:
    shutil.rmtree(top)


def empty(top: Path) -> None:
    shutil.rmtree(top / "train")
    shutil.rmtree(top / "val")


def a_file(top: Path) -> None:
    shutil.rmtree(top)
    top.touch()


def only_parquet(top: Path) -> None:
    empty(top)
    (top / "train-0.parquet").touch()


def no_train(top: Path) -> None:
    shutil.rmtree(top / "train")


def empty_train(top: Path) -> None:
    shutil.rmtree(top / "val")
    shutil.rmtree(top / "train")
    (top / "train").mkdir()


def strange_split(top: Path) -> None:
    (top / "val").rename(top / "more")


def ambiguous_split(top: Path) -> None:
    (top / "val").rename(top / "eval")


def flat_split(top: Path) -> None:
    shutil.move(top / "val" / "ant", top / "ant")
    shutil.rmtree(top / "val")
    (top / "ant").rename(top / "Test")


def two_vals(top: Path) -> None:
    shutil.copytree(top / "val", top / "Valid")


def empty_class(top: Path) -> None:
    (top / "train" / "cat").mkdir()


def other_classes(top: Path) -> None:
    (top / "val" / "bee").rename(top / "val" / "wasp")


def one_class(top: Path) -> None:
    for split in ("train", "val"):
        shutil.rmtree(top / split / "bee")


def one_image(top: Path) -> None:
    for number in (1, 2, 3):
        (top / "train" / "bee" / f"{number}.png").unlink()


def no_bytes(top: Path) -> None:
    for number in (1, 2):
        (top / "val" / "bee" / f"{number}.png").write_bytes(b"")


def mixed(top: Path) -> None:
    (top / "train" / "bee" / "labels.csv").touch()


def nested(top: Path) -> None:
    (top / "train" / "bee" / "more").mkdir()


def broken_link(top: Path) -> None:
    (top / "train" / "bee" / "0.png").unlink()
    (top / "train" / "bee" / "0.png").symlink_to(top / "gone")


def broken_class(top: Path) -> None:
    (top / "train" / "cat").symlink_to(top / "gone")


def not_text(top: Path) -> None:
    (top / "train" / "bee").rename(os.fsdecode(bytes(top / "train") + b"/\xff"))


def two_lines(top: Path) -> None:
    (top / "train" / "bee" / "0.png").rename(top / "train" / "bee" / "a\nb.png")


def classless(top: Path) -> None:
    shutil.copy(top / "train" / "bee" / "0.png", top / "train" / "0.png")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (gone, "no folder .*top; allowed"),
        (a_file, "no folder .*top; allowed"),
        (empty, "no folders in .*top; allowed"),
        (only_parquet, "no folders in .*top; set data.name to parquet"),
        (no_train, "top has val and no train; allowed"),
        (empty_train, "class train of .*top has no images; add some"),
        (
            strange_split,
            "top has more next to the splits; allowed: train, .*test.* rename or remove",
        ),
        (ambiguous_split, "top has eval, which may mean .*; call it val or test"),
        (flat_split, "top/Test has no folders of classes; allowed"),
        (two_vals, "top has Valid and val; keep one"),
        (empty_class, "class cat of .*top/train has no images; add some"),
        (other_classes, "top/val has classes that train has not: wasp; add them to train"),
        (one_class, "one class, 'ant'; at least 2"),
        (one_image, "'bee' has 1 image for training; needed: 2 or more to split off test; add"),
        (no_bytes, r"2 of 16 .* empty \(0 bytes\): .*bee/1.png, .*bee/2.png; .*on_error=skip"),
        (mixed, "1 of 5 items in .*train/bee are not images: labels.csv; .*on_error=skip"),
        (nested, "1 folders in the class .*train/bee, such as more; .*nested to true"),
        (broken_link, "train/bee/0.png is a broken link; mend"),
        (broken_class, "train/cat is a broken link; mend"),
        (not_text, r"train holds '\\udcff', which is not UTF-8 .*; rename"),
        (two_lines, r"train/bee holds 'a\\nb.png', which is not UTF-8 .*; rename"),
        (classless, "1 images in .*top/train lie outside .*: 0.png; move them"),
    ],
)
def test_a_wrong_layout_is_refused_at_the_door_in_one_line(
    tmp_path: Path, write_folder, spoil: Callable[[Path], None], message: str
) -> None:
    top = write_folder(tmp_path / "top", splits="train val")
    Folder(top, "files").check()
    spoil(top)
    with pytest.raises(UserError, match=message) as caught:
        Folder(top, "files").check()
    assert "\n" not in str(caught.value)
