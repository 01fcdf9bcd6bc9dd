"""Your own images as files, a folder per class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sakd.data.dataset import RawData
from sakd.data.own import SPLIT_NAMES, OwnImages
from sakd.data.pictures import Files
from sakd.data.reading import Labelled, check_classes, read_raw
from sakd.errors import UserError, require

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
IGNORED = ("thumbs.db", "desktop.ini")  # what file managers leave; and hidden files


@dataclass(frozen=True)
class Folder(OwnImages):
    """Images of your own in folders: train/CLASS/*.png, or CLASS/*.png.

    Beside ``train`` there may be ``val`` (or ``valid``, ``validation``) and ``test``, with the same
    classes; what is not there is split off. A class is called like its folder.
    """

    name: ClassVar[str] = "folder"
    layout: ClassVar[str] = (
        "allowed: one with train/CLASS/*.png, or with CLASS/*.png (or jpg, jpeg, webp, bmp)"
    )

    def check(self) -> None:
        """See that the layout is right and the files are images by name, without reading them.

        Raises:
            UserError: Something is missing, empty, or where it does not belong; says what.
        """
        self._splits()

    def files(self) -> list[Path]:
        """The images, in the order of splits, classes and names."""
        return [
            path for files in self._found().values() for each in files.values() for path in each
        ]

    def load(self) -> RawData:
        """Read the images.

        Raises:
            UserError: As `check`, or an image is unreadable.
        """
        splits, classes = self._splits()
        return read_raw(splits, classes, f"image folder, {_counted(splits)}", size=self.size)

    def _splits(self) -> tuple[dict[str, Labelled], list[str]]:
        found = self._found()
        classes = list(found["train"])
        _check_content(path for files in found.values() for each in files.values() for path in each)
        splits = {split: _labelled(files) for split, files in found.items()}
        check_classes({split: part.labels for split, part in splits.items()}, classes)
        return splits, classes

    def _found(self) -> dict[str, dict[str, list[Path]]]:
        folders = _split_folders(self.folder, self.layout)
        found = {split: _class_files(folder) for split, folder in folders.items()}
        for split, files in found.items():
            if differing := set(files) ^ set(found["train"]):
                named = ", ".join(sorted(differing))
                raise UserError(
                    f"{folders[split]} and {folders['train']} differ in the classes {named}; "
                    "give all splits the same folders"
                )
        return found


def _split_folders(top: Path, layout: str) -> dict[str, Path]:
    names = [folder.name for folder in _folders(top)]
    if not names:
        parquet = any(top.glob("*.parquet"))
        remedy = "set data.name to parquet" if parquet else layout
        raise UserError(f"no folders in {top}; {remedy}")
    known = [name for each in SPLIT_NAMES.values() for name in each]
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
    for split, allowed in SPLIT_NAMES.items():
        there = [name for name in allowed if name in splits]
        require(len(there) <= 1, f"{top} has {' and '.join(there)}; keep one of them")
        if there:
            chosen[split] = top / there[0]
    return chosen


def _class_files(split: Path) -> dict[str, list[Path]]:
    stray = [path for path in _visible(split) if path.suffix.lower() in ENDINGS]
    if stray:
        raise UserError(
            f"{len(stray):,} images in {split} are in no class, such as {stray[0].name}; "
            "move them into a folder per class"
        )
    return {folder.name: _files(folder) for folder in _folders(split)}


def _files(folder: Path) -> list[Path]:
    files = list(_visible(folder))
    require(bool(files), f"{folder} has no images; add some, or remove it")
    strange = [path for path in files if path.is_dir() or path.suffix.lower() not in ENDINGS]
    if strange:
        raise UserError(
            f"{len(strange):,} of {len(files):,} items in {folder} are no images, such as "
            f"{strange[0].name}; allowed: {', '.join(ENDINGS)}; remove the others"
        )
    return files


def _check_content(paths: Iterable[Path]) -> None:
    every = list(paths)
    empty = [path for path in every if not path.stat().st_size]
    if empty:
        raise UserError(
            f"{len(empty):,} of {len(every):,} image files are empty (0 bytes), such as "
            f"{empty[0]}; replace or remove them"
        )


def _labelled(files: Mapping[str, list[Path]]) -> Labelled:
    paths = [path for each in files.values() for path in each]
    labels = [label for label, each in enumerate(files.values()) for _ in each]
    return Labelled(Files(paths), labels)


def _folders(folder: Path) -> Iterator[Path]:
    return (path for path in _visible(folder) if path.is_dir())


def _visible(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if not path.name.startswith(".") and path.name.lower() not in IGNORED:
            yield path


def _counted(splits: Mapping[str, Labelled]) -> str:
    return ", ".join(f"{len(part.labels):,} files for {split}" for split, part in splits.items())
