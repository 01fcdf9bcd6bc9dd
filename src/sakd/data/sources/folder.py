"""Your own images as files, a folder per class."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, NamedTuple

import torch

from sakd.data.batches.loading import decoders
from sakd.data.batches.streamed import ImageFiles
from sakd.data.pictures.decoding import Files
from sakd.data.sources.base import RawData, refusals_told
from sakd.data.sources.own import SPLIT_NAMES, UNWRITABLE, OwnImages, SplitNames
from sakd.data.sources.reading import Labelled, check_classes, read_raw
from sakd.foundation.errors import UserError, require

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
SIDE = 224  # pixels: of streamed images, unless another size is given
STREAMED = "streamed; statistics, where not published, are of 1,000 training images"
IGNORED = ("thumbs.db", "desktop.ini")  # what file managers leave; and hidden files

ClassFiles = dict[str, list[Path]]
"""The files of a split, by class."""


class Listed(NamedTuple):
    """The files of a split and their labels."""

    paths: list[Path]
    labels: list[int]


@dataclass(frozen=True)
class Folder(OwnImages):
    """Images of your own in folders: train/CLASS/*.png, or CLASS/*.png.

    Beside ``train`` there may be ``val`` (or ``valid``, ``validation``) and ``test``, with the same
    classes; what is not there is split off. A class is called like its folder.

    Attributes:
        streamed: Whether the images stay in their files, and are decoded whenever they are used.
        workers: Processes that decode streamed images; None for one per core.
    """

    name: ClassVar[str] = "folder"
    layout: ClassVar[str] = (
        "allowed: one with train/CLASS/*.png, or with CLASS/*.png (or jpg, jpeg, webp, bmp)"
    )
    split_names: ClassVar[SplitNames] = SPLIT_NAMES

    streamed: bool = False
    workers: int | None = None

    def __post_init__(self) -> None:
        """Refuse workers where there is nothing for them to do."""
        super().__post_init__()
        fine = self.streamed or self.workers is None
        require(fine, "data.workers decode streamed images: set data.streamed, or leave it out")

    def check(self) -> None:
        """See that the layout is right and the files are images by name, without reading them.

        Raises:
            UserError: Something is missing, empty, or where it does not belong; says what.
        """
        self._checked()

    def has_test(self) -> bool:
        """Whether there is a folder of test images."""
        return "test" in _split_folders(self.folder, self.layout, self.split_names)

    def files(self) -> list[Path]:
        """The images, in the order of splits, classes and names."""
        return [
            path for files in self._found().values() for each in files.values() for path in each
        ]

    def mark(self, path: Path) -> bytes:
        """Tell a file of streamed images by size and time: to read all may take an hour."""
        if not self.streamed:
            return super().mark(path)
        found = path.stat()
        return f"{found.st_size} {found.st_mtime_ns}".encode()

    def load(self) -> RawData:
        """Read the images; where they are streamed, to see that they are images, and which.

        Raises:
            UserError: As `check`, or an image is unreadable.
        """
        found = self._checked()
        classes, listed = tuple(found["train"]), {s: _listed(files) for s, files in found.items()}
        counts = ", ".join(f"{len(part.paths):,} files for {s}" for s, part in listed.items())
        source = f"image folder, {counts}"
        if not self.streamed:
            splits = {s: Labelled(Files(part.paths), part.labels) for s, part in listed.items()}
            return read_raw(splits, classes, source, size=self.size)
        streams = {split: self._stream(part, split) for split, part in listed.items()}
        test, val = streams.get("test"), streams.get("val")
        return RawData(streams["train"], test, classes, f"{source}; {STREAMED}", val=val)

    def _stream(self, part: Listed, split: str) -> ImageFiles:
        labels, side = torch.tensor(part.labels), self.size or SIDE
        files = ImageFiles.examine(part.paths, labels, root=self.folder, side=side, split=split)
        return replace(files, workers=decoders(self.workers))

    def _checked(self) -> dict[str, ClassFiles]:
        found = self._found()
        _check_content(path for files in found.values() for each in files.values() for path in each)
        labels = {split: _listed(files).labels for split, files in found.items()}
        check_classes(labels, list(found["train"]))
        return found

    def _found(self) -> dict[str, ClassFiles]:
        folders = _split_folders(self.folder, self.layout, self.split_names)
        found = {split: _class_files(folder) for split, folder in folders.items()}
        for split, files in found.items():
            if differing := set(files) ^ set(found["train"]):
                named = ", ".join(sorted(differing))
                raise UserError(
                    f"{folders[split]} and {folders['train']} differ in the classes {named}; "
                    "give all splits the same folders"
                )
        return found


def _split_folders(top: Path, layout: str, split_names: SplitNames) -> dict[str, Path]:
    names = [folder.name for folder in _folders(top)]
    if not names:
        parquet = any(top.glob("*.parquet"))
        remedy = "set data.name to parquet" if parquet else layout
        raise UserError(f"no folders in {top}; {remedy}")
    known = [name for each in split_names.values() for name in each]
    splits = [name for name in names if name in known and any(_folders(top / name))]
    if not splits:
        return {"train": top}
    require("train" in splits, f"{top} has {', '.join(splits)} and no train; {layout}")
    if strange := [name for name in names if name not in splits]:
        raise UserError(
            f"{top} has the folders {', '.join(strange)} beside train; allowed: "
            f"{', '.join(known)}, each with a folder per class"
        )
    chosen: dict[str, Path] = {}
    for split, allowed in split_names.items():
        there = [name for name in allowed if name in splits]
        require(len(there) <= 1, f"{top} has {' and '.join(there)}; keep one of them")
        if there:
            chosen[split] = top / there[0]
    return chosen


def _class_files(split: Path) -> ClassFiles:
    stray = [entry for entry in _visible(split) if _is_picture(entry)]
    if stray:
        raise UserError(
            f"{len(stray):,} images in {split} are in no class, such as {stray[0].name}; "
            "move them into a folder per class"
        )
    return {folder.name: _files(folder) for folder in _folders(split)}


def _files(folder: Path) -> list[Path]:
    files = _visible(folder)
    require(bool(files), f"{folder} has no images; add some, or remove it")
    if folders := [entry.name for entry in files if entry.is_dir()]:
        raise UserError(
            f"{len(folders):,} folders in the class {folder}, such as {folders[0]}; move their "
            f"images up into it, or if {folder.name} is a split, call it train, val or test"
        )
    strange = [entry for entry in files if not _is_picture(entry)]
    if strange:
        raise UserError(
            f"{len(strange):,} of {len(files):,} items in {folder} are no images, such as "
            f"{strange[0].name}; allowed: {', '.join(ENDINGS)}; remove the others"
        )
    return [Path(entry.path) for entry in files]


def _is_picture(entry: os.DirEntry[str]) -> bool:
    return entry.name.lower().endswith(ENDINGS)


def _check_content(paths: Iterable[Path]) -> None:
    every = list(paths)
    with refusals_told():
        empty = [path for path in every if not path.stat().st_size]
    if empty:
        raise UserError(
            f"{len(empty):,} of {len(every):,} image files are empty (0 bytes), such as "
            f"{empty[0]}; replace or remove them"
        )


def _listed(files: ClassFiles) -> Listed:
    paths = [path for each in files.values() for path in each]
    return Listed(paths, [label for label, each in enumerate(files.values()) for _ in each])


def _folders(folder: Path) -> Iterator[Path]:
    return (Path(entry.path) for entry in _visible(folder) if entry.is_dir())


def _visible(folder: Path) -> list[os.DirEntry[str]]:
    """What is in ``folder``, by name; an entry knows its kind, which a million paths would ask."""
    with refusals_told(), os.scandir(folder) as every:
        found = [e for e in every if not e.name.startswith(".") and e.name.lower() not in IGNORED]
    for entry in found:
        if UNWRITABLE.search(entry.name):
            raise UserError(f"{folder} holds {entry.name!a}, no UTF-8 text of one line; rename it")
        broken = entry.is_symlink() and not os.path.exists(entry.path)  # noqa: PTH110 - no path yet
        require(not broken, f"{entry.path} is a link to what is not there; mend or remove it")
    return sorted(found, key=lambda entry: entry.name)
