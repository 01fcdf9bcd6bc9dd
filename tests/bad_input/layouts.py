"""Folders of images: layouts, links and names that are refused."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from bad_input.case import nothing, read

CLASSES, IMAGES = ("ant", "bee"), 8


def folder(here: Path) -> Path:
    """Make a folder with eight small pictures in each of two classes."""
    dice = np.random.default_rng(0)
    for name in CLASSES:
        (here / "top" / name).mkdir(parents=True)
        for number in range(IMAGES):
            pixels = dice.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(here / "top" / name / f"{number}.png")
    return here / "top"


def changed(change: Callable[[Path], object]) -> Callable[[Path], None]:
    """Make the folder, then ``change`` it."""

    def make(here: Path) -> None:
        change(folder(here))

    return make


def in_splits(change: Callable[[Path], object]) -> Callable[[Path], None]:
    """Make the folder with the splits train and val, then ``change`` it."""

    def make(here: Path) -> None:
        top = folder(here)
        top.rename(here / "train")
        top.mkdir()
        shutil.copytree(here / "train", top / "val")
        (here / "train").rename(top / "train")
        change(top)

    return make


def swap(path: Path, to: Path) -> None:
    path.unlink() if path.is_file() else shutil.rmtree(path)
    path.symlink_to(to)


CASES = [
    read("no-folder", nothing, "no folder .*top; allowed"),
    read("file-for-folder", lambda here: (here / "top").touch(), "no folder .*top; allowed"),
    read("empty-folder", lambda here: (here / "top").mkdir(), "no folders in .*top; allowed"),
    read("one-class", changed(lambda top: shutil.rmtree(top / "bee")), "one class, 'ant'"),
    read("empty-class", changed(lambda top: (top / "cat").mkdir()), "class cat .* has no images"),
    read(
        "no-train",
        in_splits(lambda top: shutil.rmtree(top / "train")),
        "top has val and no train; allowed",
    ),
    read(
        "val-twice", in_splits(lambda top: shutil.copytree(top / "val", top / "Valid")), "keep one"
    ),
    read(
        "split-or-not",
        in_splits(lambda top: (top / "val").rename(top / "eval")),
        "eval, which may mean .*; call it val or test",
    ),
    read(
        "strange-split",
        in_splits(lambda top: (top / "val").rename(top / "more")),
        "more next to the splits; .*rename or remove",
    ),
    read(
        "classes-differ",
        in_splits(lambda top: (top / "val/bee").rename(top / "val/wasp")),
        "val has classes that train has not: wasp",
    ),
    read(
        "outside-of-classes",
        in_splits(lambda top: shutil.copy(top / "train/ant/0.png", top / "train/0.png")),
        "1 images in .*top/train lie outside .*: 0.png; move them",
    ),
    read("other-files", changed(lambda top: (top / "ant/a.csv").touch()), "not images: a.csv"),
    read("nested", changed(lambda top: (top / "ant/more").mkdir()), "such as more; .*nested"),
    read(
        "loop",
        changed(lambda top: (top / "ant/more").symlink_to(top)),
        "such as more; .*nested",
    ),
    read(
        "loop-below",
        changed(lambda top: (top / "ant/more").symlink_to(top)),
        "more.*(loop|folder|link)",
        "data.options.nested=true",
    ),
    read("link-to-itself", changed(lambda top: swap(top / "bee", top / "bee")), "bee is a broken"),
    read("broken-link", changed(lambda top: swap(top / "bee/0.png", top / "x")), "bee/0.png is a"),
    read("broken-class", changed(lambda top: swap(top / "bee", top / "x")), "top/bee is a broken"),
    read(
        "pipe",
        changed(lambda top: os.mkfifo(top / "bee/pipe.png")),
        r"empty \(0 bytes\): .*pipe.png",
    ),
    read(
        "pipe-of-parquet",
        changed(lambda top: os.mkfifo(top / "train-0.parquet")),
        "train-0.parquet .*a pipe or a device, not a file",
        "data.name=parquet",
    ),
    read("folder-as-image", changed(lambda top: (top / "ant/9.png").mkdir()), "9.png"),
    read(
        "name-not-utf-8",
        changed(lambda top: (top / "ant").rename(os.fsdecode(bytes(top) + b"/\xff"))),
        "which is not UTF-8 .*; rename",
    ),
    read(
        "name-of-two-lines",
        changed(lambda top: (top / "ant/0.png").rename(top / "ant/a\nb.png")),
        r"'a\\nb.png', which is not UTF-8 .*; rename",
    ),
    read(
        "name-with-escape-codes",
        changed(lambda top: (top / "ant").rename(top / "a\x1b[31mt")),
        r"a\\x1b\[31mt.*; rename",
    ),
]
