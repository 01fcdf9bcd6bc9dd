"""Your own images as files: a folder per class, or a CSV file that names their classes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, NamedTuple

import torch

from sakd.data.batches.images import Images
from sakd.data.batches.loading import decoders
from sakd.data.batches.streamed import ImageFiles
from sakd.data.pictures.decoding import Survey
from sakd.data.pictures.every import Fault
from sakd.data.pictures.form import streamed_form
from sakd.data.pictures.stored import Files
from sakd.data.sources.classes import check_counts, check_known, in_order
from sakd.data.sources.labels_file import LabelsFile
from sakd.data.sources.listing import ClassFiles, Folders
from sakd.data.sources.own import OwnImages
from sakd.data.sources.raw import RawData
from sakd.data.sources.reading import Labelled, assemble, read_raw, sift
from sakd.data.sources.split_names import SPLIT_NAMES, SplitNames
from sakd.foundation.errors import require
from sakd.foundation.files import readable
from sakd.foundation.names import listed

SIDE = 224  # pixels: of streamed images, unless another size is given
STREAMED = "streamed; statistics, where not published, are of 1,000 training images"


class Listed(NamedTuple):
    """The files of a split and their labels."""

    paths: list[Path]
    labels: list[int]


@dataclass(frozen=True)
class Folder(OwnImages):
    """Images of your own in folders: train/CLASS/*.png, or CLASS/*.png.

    There may also be ``val`` and ``test``, which may lack some of the classes; a missing split is
    split off. A class is called like its folder.

    Attributes:
        nested: Whether images may lie in folders within that of their class.
        labels: A CSV file in ``path`` that names the classes of the images, in place of folders.
        streamed: Whether the images stay in their files, and are decoded whenever they are used.
        workers: Processes that decode streamed images; None for one per core.
    """

    name: ClassVar[str] = "folder"
    layout: ClassVar[str] = (
        "allowed: one with train/CLASS/*.png, or with CLASS/*.png (or jpg, webp, tif and the like)"
    )
    split_names: ClassVar[SplitNames] = SPLIT_NAMES

    nested: bool = False
    labels: str | None = None
    streamed: bool = False
    workers: int | None = None

    def __post_init__(self) -> None:
        """Refuse workers where there is nothing for them to do, and two sources of classes."""
        super().__post_init__()
        fine = self.streamed or self.workers is None
        require(fine, "data.workers decode streamed images: set data.streamed, or leave it out")
        fine = not (self.nested and self.labels)
        require(fine, "data.options.labels names each file, so leave data.options.nested out")

    def check(self) -> None:
        """Check that the layout is right and the files are images by name, without reading them.

        Raises:
            UserError: Something is missing, empty, or where it does not belong; says what.
        """
        self._checked()

    def has_test(self) -> bool:
        """Tell whether there are test images."""
        return "test" in self._listing().splits()

    def files(self) -> list[Path]:
        """The images, in the order of splits, classes and names; and the file of their labels."""
        listing = self._listing()
        found = listing.found().values()
        images = [path for files in found for each in files.values() for path in each]
        return [*([listing.file] if isinstance(listing, LabelsFile) else []), *images]

    def mark(self, path: Path) -> bytes:
        """Mark streamed images by size and time: to read them all may take an hour."""
        if not self.streamed or (self.labels and path == self.folder / self.labels):
            return super().mark(path)
        found = path.stat()
        return f"{found.st_size} {found.st_mtime_ns}".encode()

    def read(self) -> RawData:
        """Read the images; streamed ones are decoded once, to check and to compare them.

        Raises:
            UserError: As `check`, or an image cannot be used.
        """
        classes, found = self._checked()
        counts = ", ".join(f"{len(part.paths):,} files for {s}" for s, part in found.items())
        source = f"image folder, {counts}"
        splits = {s: Labelled(Files(part.paths), part.labels) for s, part in found.items()}
        surveyed = self.survey(splits)
        if not self.streamed:
            return read_raw(splits, classes, source, surveyed, self.on_error)
        return self._stream(found, classes, f"{source}; {STREAMED}", surveyed)

    def _stream(
        self, found: dict[str, Listed], classes: tuple[str, ...], source: str, surveyed: Survey
    ) -> RawData:
        form = streamed_form(self.size or SIDE, surveyed.form.tones)
        read: dict[str, Images] = {}
        faults: dict[str, list[Fault]] = {}
        for split, part in found.items():
            labels = torch.tensor(part.labels)
            files, faults[split] = ImageFiles.examine(
                part.paths, labels, root=self.folder, form=form, split=split
            )
            read[split] = replace(files, workers=decoders(self.workers))
        read, skipped = sift(read, faults, classes, self.on_error)
        return assemble(read, classes, source, surveyed._replace(form=form), skipped)

    def _listing(self) -> Folders | LabelsFile:
        if self.labels is not None:
            return LabelsFile(self.folder, self.labels, self.split_names, self.on_error)
        return Folders(self.folder, self.layout, self.split_names, self.nested, self.on_error)

    def _checked(self) -> tuple[tuple[str, ...], dict[str, Listed]]:
        """The classes, and the files of each split with their labels."""
        listing = self._listing()
        places, found = listing.splits(), listing.found()
        train = found["train"]
        for name, files in train.items():
            fault = f"class {name} of {places['train']} has no images"
            require(bool(files), f"{fault}; add some, or remove it")
        require(bool(train), f"{places['train']} has no images; add some, or remove it")
        for split, each in found.items():
            check_known([name for name, files in each.items() if files], train, places[split])
        if self.on_error == "refuse":
            _check_content(path for each in found.values() for ps in each.values() for path in ps)
        classes = in_order(train, self.classes)
        splits = {split: _listed(each, classes) for split, each in found.items()}
        check_counts({split: part.labels for split, part in splits.items()}, classes)
        return classes, splits


def _check_content(paths: Iterable[Path]) -> None:
    every = list(paths)
    with readable():
        empty = [path for path in every if not path.stat().st_size]
    found = f"{len(empty):,} of {len(every):,} image files are empty (0 bytes)"
    remedy = "replace or remove them, or leave them out with data.on_error=skip"
    require(not empty, f"{found}: {listed(empty)}; {remedy}")


def _listed(files: ClassFiles, classes: tuple[str, ...]) -> Listed:
    paths = [path for name in classes for path in files.get(name, ())]
    return Listed(paths, [k for k, name in enumerate(classes) for _ in files.get(name, ())])
