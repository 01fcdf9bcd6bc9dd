"""Folders of images: layouts, links and pipes that are refused."""

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


LAYOUT = "allowed: one with train/CLASS"

CASES = [
    read("no-folder", nothing, "no folder .*top", LAYOUT),
    read("file-for-folder", lambda here: (here / "top").touch(), "no folder .*top", LAYOUT),
    read("empty-folder", lambda here: (here / "top").mkdir(), "no folders in .*top", LAYOUT),
    read(
        "one-class",
        changed(lambda top: shutil.rmtree(top / "bee")),
        "one class, 'ant'",
        "at least 2",
    ),
    read(
        "empty-class", changed(lambda top: (top / "cat").mkdir()), "class cat of .*top", "add some"
    ),
    read(
        "no-train",
        in_splits(lambda top: shutil.rmtree(top / "train")),
        "top has val and no train",
        LAYOUT,
    ),
    read(
        "val-twice",
        in_splits(lambda top: shutil.copytree(top / "val", top / "Valid")),
        "top has Valid and val",
        "keep one of them",
    ),
    read(
        "split-or-not",
        in_splits(lambda top: (top / "val").rename(top / "eval")),
        "top has eval, which may mean",
        "call it val or test",
    ),
    read(
        "strange-split",
        in_splits(lambda top: (top / "val").rename(top / "more")),
        "top has more next to the splits",
        "rename or remove",
    ),
    read(
        "classes-differ",
        in_splits(lambda top: (top / "val/bee").rename(top / "val/wasp")),
        "val has classes that train has not: wasp",
        "add them to train, or remove",
    ),
    read(
        "outside-of-classes",
        in_splits(lambda top: shutil.copy(top / "train/ant/0.png", top / "train/0.png")),
        "1 images in .*top/train lie outside .*: 0.png",
        "move them into a folder per class",
    ),
    read("other-files", changed(lambda top: (top / "ant/a.csv").touch()), "a.csv", "allowed: .png"),
    read(
        "nested", changed(lambda top: (top / "ant/more").mkdir()), "such as more", "nested to true"
    ),
    read(
        "loop",
        changed(lambda top: (top / "ant/more").symlink_to(top)),
        "top/ant/more leads back to .*top",
        "remove it",
    ),
    read(
        "loop-below",
        changed(lambda top: (top / "ant/more").symlink_to(top)),
        "top/ant/more leads back to .*top",
        "remove it",
        "data.options.nested=true",
    ),
    read(
        "loop-that-is-skipped",
        changed(lambda top: (top / "ant/more").symlink_to(top / "ant")),
        "top/ant/more leads back to .*ant",
        "remove it",
        "data.options.nested=true,data.on_error=skip",
    ),
    read(
        "loop-of-classes",
        changed(lambda top: (top / "cat").symlink_to(top)),
        "top/cat leads back to .*top",
        "remove it",
        "data.options.nested=true",
    ),
    read(
        "link-to-itself",
        changed(lambda top: swap(top / "bee", top / "bee")),
        "top/bee is a broken link",
        "mend or remove it",
    ),
    read(
        "image-that-links-to-itself",
        changed(lambda top: [swap(path, path) for path in (top / "bee").iterdir()]),
        "class 'bee' has 0 images",
        "add images or remove the class",
        "data.on_error=skip",
    ),
    read(
        "broken-link",
        changed(lambda top: swap(top / "bee/0.png", top / "x")),
        "bee/0.png is a broken link",
        "mend or remove it",
    ),
    read(
        "broken-class",
        changed(lambda top: swap(top / "bee", top / "x")),
        "top/bee is a broken link",
        "mend or remove it",
    ),
    read(
        "link-to-text-outside",
        changed(lambda top: swap(top / "bee/0.png", Path(__file__))),
        r"bee/0.png \(cannot identify",
        "replace or remove",
    ),
    read(
        "link-to-a-device",
        changed(lambda top: swap(top / "bee/0.png", Path("/dev/zero"))),
        r"bee/0.png",
        "replace or remove",
    ),
    read(
        "link-to-a-device-that-is-skipped",
        changed(lambda top: [swap(path, Path("/dev/zero")) for path in (top / "bee").iterdir()]),
        "class 'bee' has 0 images",
        "add images or remove the class",
        "data.on_error=skip",
    ),
    read(
        "pipe",
        changed(lambda top: os.mkfifo(top / "bee/pipe.png")),
        r"\(0 bytes\): .*pipe.png",
        "replace or remove",
    ),
    read(
        "folder-as-image",
        changed(lambda top: (top / "ant/9.png").mkdir()),
        "9.png",
        "nested to true",
    ),
]
