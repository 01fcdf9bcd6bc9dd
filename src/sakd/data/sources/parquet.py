"""Your own images as parquet files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import ClassVar

from sakd.data.sources.base import RawData
from sakd.data.sources.own import SPLIT_NAMES, UNWRITABLE, OwnImages
from sakd.data.sources.parquet_files import ParquetFiles, find_columns, parquet_paths, split_name
from sakd.data.sources.reading import check_classes, read_raw
from sakd.foundation.errors import UserError, require


@dataclass(frozen=True)
class Parquet(OwnImages):
    """Images of your own in Hugging Face style parquet files: train-*.parquet.

    Beside them there may be ``validation-*`` (or ``val-*``, ``valid-*``) and ``test-*``; what is
    not there is split off. Classes are called as the metadata of the label column say, else by
    their numbers.

    Attributes:
        image_column: The column of images, a struct with bytes; None where there is one only.
        label_column: The column of labels, integers from 0; None where there is one only.
    """

    name: ClassVar[str] = "parquet"
    layout: ClassVar[str] = (
        "allowed: one with train-*.parquet and, if there are, validation-*.parquet and "
        "test-*.parquet"
    )

    image_column: str | None = None
    label_column: str | None = None

    def check(self) -> None:
        """See that the files are there, with the right columns and labels; reads no image.

        Raises:
            UserError: Something is missing or wrong; says what.
        """
        self._splits()

    def has_test(self) -> bool:
        """Whether there is a file of test images."""
        return "test" in self._paths()

    def files(self) -> list[Path]:
        """The parquet files, in the order of splits and names."""
        return [path for paths in self._paths().values() for path in paths]

    def load(self) -> RawData:
        """Read the images.

        Raises:
            UserError: As `check`, or an image is unreadable.
        """
        files, classes = self._splits()
        splits = {split: each.read(len(classes)) for split, each in files.items()}
        names = ", ".join(path.name for each in files.values() for path in each.paths)
        return read_raw(splits, classes, f"parquet files {names}", size=self.size)

    def _splits(self) -> tuple[dict[str, ParquetFiles], tuple[str, ...]]:
        paths = self._paths()
        columns = find_columns(paths["train"][0], self.image_column, self.label_column)
        files = {split: ParquetFiles(each, columns) for split, each in paths.items()}
        for each in files.values():
            each.check()
        classes = _classes(files)
        labels = {split: each.labels(len(classes)) for split, each in files.items()}
        check_classes(labels, classes)
        return files, classes

    def _paths(self) -> dict[str, list[Path]]:
        paths = {split: parquet_paths(self.folder, names) for split, names in SPLIT_NAMES.items()}
        for each in paths.values():
            there = sorted({split_name(path) for path in each})
            require(len(there) <= 1, f"{self.folder} has {' and '.join(there)}; keep one of them")
        require(bool(paths["train"]), f"no train-*.parquet in {self.folder}; {self.layout}")
        return {split: each for split, each in paths.items() if each}


def _classes(files: Mapping[str, ParquetFiles]) -> tuple[str, ...]:
    classes = files["train"].class_names()
    for split, each in files.items():
        if each.class_names() != classes:
            paths = f"{each.paths[0]} and {files['train'].paths[0]}"
            raise UserError(f"{paths} differ in the names of the classes; write {split} again")
    if classes is None:
        return _numbered(files["train"])
    _check_names(classes, files["train"].paths[0])
    return classes


def _check_names(classes: Sequence[str], path: Path) -> None:
    strange = [name for name in classes if UNWRITABLE.search(name)]
    found = f"{path} calls classes {', '.join(map(ascii, strange))}"
    require(not strange, f"{found}; give each a name of one line")
    twice = [name for name, times in Counter(classes).items() if times > 1]
    found = f"{path} has several classes called {', '.join(twice)}"
    require(not twice, f"{found}; give each a name of its own")


def _numbered(train: ParquetFiles) -> tuple[str, ...]:
    labels = set(train.labels())
    absent = next(label for label in count() if label not in labels)
    found = f"{train.paths[0]} has labels up to {max(labels)}, and no image of class {absent}"
    remedy = "number the classes from 0 without gaps"
    require(absent == len(labels), f"{found}; {remedy}")
    return tuple(map(str, range(absent)))
