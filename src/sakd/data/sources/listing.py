"""The image files of a dataset, by split and class, found by their folders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sakd.data.sources.base import OnError
from sakd.data.sources.classes import composed
from sakd.data.sources.split_names import SplitNames, choose_splits, is_ambiguous, split_of
from sakd.foundation.errors import UserError, require
from sakd.foundation.files import readable
from sakd.foundation.names import listed
from sakd.foundation.text import UNWRITABLE

ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".avif", ".bmp"),
    *(".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm"),
)
"""Of image files; which kind they are is seen from their content."""

IGNORED = ("thumbs.db", "desktop.ini")  # what file managers leave; and hidden files

ClassFiles = dict[str, list[Path]]
"""The files of a split, by class."""


@dataclass(frozen=True)
class Folders:
    """Images in a folder per class, and these in a folder per split, or in one.

    Attributes:
        top: The folder of the dataset.
        layout: What the folder must look like, for messages.
        split_names: What the folders of the splits may be called.
        nested: Whether images may lie in folders within that of their class.
        on_error: Whether to refuse broken links and files without the ending of an image, or to
            list them with the images, whose content decides.
    """

    top: Path
    layout: str
    split_names: SplitNames
    nested: bool = False
    on_error: OnError = "refuse"

    def splits(self) -> dict[str, Path]:
        """Find the folder of each split; ``top`` itself where the folders in it are classes.

        Raises:
            UserError: There are no folders, or some are not of a split.
        """
        top, names = self.top, [folder.name for folder in folders(self.top)]
        if not names:
            parquet = any(top.glob("*.parquet"))
            remedy = "set data.name to parquet" if parquet else self.layout
            raise UserError(f"no folders in {top}; {remedy}")
        deep = [name for name in names if any(folders(top / name, links=self.on_error == "skip"))]
        meant = {split_of(name, self.split_names) for name in deep}
        if meant <= {None} and not any(map(is_ambiguous, deep)):
            return {"train": top}
        require("train" in meant, f"{top} has {', '.join(deep)} and no train; {self.layout}")
        chosen = choose_splits(names, top, self.split_names)
        for name in chosen.values():
            require(name in deep, f"{top / name} has no folders of classes; {self.layout}")
        return {split: top / name for split, name in chosen.items()}

    def found(self) -> dict[str, ClassFiles]:
        """Find the images of each class of each split.

        Raises:
            UserError: As `splits`; or images are outside of classes, or other files in them.
        """
        return {split: self._classes(folder) for split, folder in self.splits().items()}

    def _classes(self, split: Path) -> ClassFiles:
        stray = [entry.name for entry in _visible(split) if _is_picture(entry)]
        found = f"{len(stray):,} images in {split} lie outside of the classes: {listed(stray)}"
        require(not stray, f"{found}; move them into a folder per class")
        files: ClassFiles = {}
        for folder in folders(split):
            files.setdefault(composed(folder.name), []).extend(self._files(folder))
        return files

    def _files(self, folder: Path) -> list[Path]:
        entries = _visible(folder, links=self.on_error == "skip")
        inner = [entry for entry in entries if _is_folder(entry)]
        if inner and not self.nested:
            raise UserError(
                f"{len(inner):,} folders in the class {folder}, such as {inner[0].name}; move "
                "their images up into it, or set data.options.nested to true"
            )
        files = [entry for entry in entries if not _is_folder(entry)]
        strange = [entry.name for entry in files if not _is_picture(entry)]
        if strange and self.on_error == "refuse":
            raise UserError(
                f"{len(strange):,} of {len(entries):,} items in {folder} are not images: "
                f"{listed(strange)}; allowed: {', '.join(ENDINGS)}; remove the others, or leave "
                "them out with data.on_error=skip"
            )
        deeper = [path for each in inner for path in self._files(Path(each.path))]
        return [Path(entry.path) for entry in files] + deeper


def folders(folder: Path, *, links: bool = False) -> Iterator[Path]:
    """The folders in ``folder``, by name; broken ``links`` are refused unless asked for."""
    return (Path(entry.path) for entry in _visible(folder, links=links) if _is_folder(entry))


def _is_picture(entry: os.DirEntry[str]) -> bool:
    return entry.name.lower().endswith(ENDINGS)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry is a folder; one that links to itself is none."""
    return Path(entry.path).is_dir() if entry.is_symlink() else entry.is_dir()


def _visible(folder: Path, *, links: bool = False) -> list[os.DirEntry[str]]:
    """The entries of ``folder``, by name, with broken ``links`` if asked for.

    An entry knows its kind, for which a million paths would have to be asked.
    """
    with readable(), os.scandir(folder) as every:
        found = [e for e in every if not e.name.startswith(".") and e.name.lower() not in IGNORED]
    for entry in found:
        if UNWRITABLE.search(entry.name):
            raise UserError(
                f"{folder} holds {entry.name!a}, which is not UTF-8 text of one line that can be "
                "seen; rename it"
            )
        broken = entry.is_symlink() and not os.path.exists(entry.path)  # noqa: PTH110 - no path yet
        fine = links or not broken
        require(fine, f"{entry.path} is a broken link; mend or remove it")
        if entry.is_symlink() and _is_folder(entry):
            _check_way(Path(entry.path))
    return sorted(found, key=lambda entry: entry.name)


def _check_way(link: Path) -> None:
    """Check that a link to a folder does not lead to a folder that it lies in."""
    target = link.resolve()
    back = target in (here := link.parent.resolve(), *here.parents)
    require(not back, f"{link} leads back to {target}, in which it lies; remove it")
