"""Your own images as parquet files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import ClassVar

from sakd.data.sources.classes import check_counts, check_known, check_names, in_order
from sakd.data.sources.own import OwnImages
from sakd.data.sources.parquet_files import ParquetFiles, find_columns, parquet_paths
from sakd.data.sources.raw import RawData
from sakd.data.sources.reading import Labelled, read_raw
from sakd.data.sources.split_names import SPLIT_NAMES
from sakd.foundation.errors import UserError, require


@dataclass(frozen=True)
class Parquet(OwnImages):
    """Images of your own in Hugging Face style parquet files: train-*.parquet.

    There may also be ``validation-*`` and ``test-*``, which may lack some of the classes; a missing
    split is split off. The metadata of the label column name the classes; without names they are
    called by their numbers.

    Attributes:
        image_column: The column of images, a struct with bytes; None if there is only one.
        label_column: The column of labels, integers from 0; None if there is only one.
    """

    name: ClassVar[str] = "parquet"
    layout: ClassVar[str] = (
        "allowed: one with train-*.parquet and, if there are, validation-*.parquet and "
        "test-*.parquet"
    )

    image_column: str | None = None
    label_column: str | None = None

    def check(self) -> None:
        """Check that the files are there, with the right columns and labels; reads no image.

        Raises:
            UserError: Something is missing or wrong; says what.
        """
        self._splits()

    def has_test(self) -> bool:
        """Tell whether there is a file of test images."""
        return "test" in self._paths()

    def files(self) -> list[Path]:
        """The parquet files, in the order of splits and names."""
        return [path for paths in self._paths().values() for path in paths]

    def read(self) -> RawData:
        """Read the images.

        Raises:
            UserError: As `check`, or an image cannot be used.
        """
        files, labels, classes = self._splits()
        splits = {s: Labelled(each.pictures(), labels[s]) for s, each in files.items()}
        names = ", ".join(path.name for each in files.values() for path in each.paths)
        source = f"parquet files {names}"
        return read_raw(splits, classes, source, self.survey(splits), self.on_error)

    def _splits(self) -> tuple[dict[str, ParquetFiles], dict[str, list[int]], tuple[str, ...]]:
        """The files of each split, their labels, and the classes that these count."""
        paths = self._paths()
        columns = find_columns(paths["train"][0], self.image_column, self.label_column)
        files = {split: ParquetFiles(each, columns) for split, each in paths.items()}
        for each in files.values():
            each.check()
        classes = _classes(files["train"])
        labels = {split: _labels(each, files["train"], classes) for split, each in files.items()}
        check_counts(labels, classes)
        in_order(classes, self.classes)  # or say at the door that these are other classes
        return files, labels, classes

    def _paths(self) -> dict[str, list[Path]]:
        paths = parquet_paths(self.folder, SPLIT_NAMES)
        require("train" in paths, f"no train-*.parquet in {self.folder}; {self.layout}")
        return paths


def _classes(train: ParquetFiles) -> tuple[str, ...]:
    names = train.class_names()
    if names is None:
        return _numbered(train)
    check_names(names, train.paths[0])
    return names


def _labels(files: ParquetFiles, train: ParquetFiles, classes: Sequence[str]) -> list[int]:
    """The labels as positions in ``classes``, by name where the files name their classes."""
    names = files.class_names()
    if names == train.class_names():
        return files.labels(len(classes))
    if names is None:
        both = f"{files.paths[0]} and {train.paths[0]}"
        raise UserError(f"{both} differ in the names of the classes; write one again")
    check_names(names, files.paths[0])
    check_known(names, classes, files.paths[0])
    places = [classes.index(name) for name in names]
    return [places[label] for label in files.labels(len(names))]


def _numbered(train: ParquetFiles) -> tuple[str, ...]:
    labels = set(train.labels())
    absent = next(label for label in count() if label not in labels)
    found = f"{train.paths[0]} has labels up to {max(labels)}, and no image of class {absent}"
    remedy = "number the classes from 0 without gaps"
    require(absent == len(labels), f"{found}; {remedy}")
    return tuple(map(str, range(absent)))
