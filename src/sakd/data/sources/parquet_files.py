"""Images in parquet files as Hugging Face writes them: encoded bytes, and labels as integers."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from sakd.data.pictures.stored import Encoded
from sakd.data.sources.classes import composed
from sakd.data.sources.reading import Labelled
from sakd.data.sources.split_names import SplitNames, choose_splits
from sakd.foundation.errors import UserError, require
from sakd.foundation.extras import from_extra
from sakd.foundation.files import openable

if TYPE_CHECKING:
    import pyarrow as pa

SHARD = re.compile(r"-\d+-of-(\d+)")  # in the name of one of several files
SPLIT = re.compile(r"[A-Za-z]+(?=$|-|[_.]?\d)")  # that a file's name begins with


class Columns(NamedTuple):
    """The names of the two columns that are read."""

    image: str
    label: str


@dataclass(frozen=True)
class ParquetFiles:
    """The parquet files of one split.

    Attributes:
        paths: The files, in the order in which they are read.
        columns: The columns that are read.
    """

    paths: Sequence[Path]
    columns: Columns

    def check(self) -> None:
        """Check that all files are there, are parquet, and have the columns and the same classes.

        Raises:
            UserError: A file is missing, or differs.
        """
        self._count()
        for path in self.paths:
            find_columns(path, *self.columns)
            if self._names(path) != self.class_names():
                both = f"{path} and {self.paths[0]}"
                raise UserError(f"{both} differ in the names of the classes; write one again")

    def _count(self) -> None:
        found = Counter(int(shard[1]) for path in self.paths if (shard := SHARD.search(path.stem)))
        for total, there in found.items():
            named = f"{there} of {total} files such as {self.paths[0]}"
            require(there >= total, f"{named}; get the others, or rename these to do without")

    def class_names(self) -> tuple[str, ...] | None:
        """The names of the labels, from the metadata of the files; None if these have none."""
        return self._names(self.paths[0])

    def _names(self, path: Path) -> tuple[str, ...] | None:
        names = _features(_schema(path)).get(self.columns.label, {}).get("names")
        return tuple(composed(str(n)) for n in names) if isinstance(names, list) and names else None

    def labels(self, classes: int | None = None) -> list[int]:
        """The labels of all rows.

        Raises:
            UserError: One is missing, negative, or not below ``classes``; or there are no rows.
        """
        every: list[int] = []
        for path in self.paths:
            labels = _column(path, self.columns.label)
            every += labels
            for row, label in enumerate(labels):
                if label is None or label < 0 or (classes is not None and label >= classes):
                    allowed = "0 or more" if classes is None else f"0 to {classes - 1}"
                    place = f"{self.columns.label} {label} in row {row} of {path}"
                    raise UserError(f"{place}; allowed: {allowed}")
        require(bool(every), f"{', '.join(map(str, self.paths))}: no rows; add images")
        return every

    def pictures(self) -> Encoded:
        """Read the images of all rows; they are not decoded yet."""
        contents = [_column(path, self.columns.image, "bytes") for path in self.paths]
        places = [
            (path, row)
            for path, rows in zip(self.paths, contents, strict=True)
            for row in range(len(rows))
        ]
        return Encoded([content for rows in contents for content in rows], places)

    def read(self, classes: int) -> Labelled:
        """Read images and labels.

        Raises:
            UserError: A label is not in 0..``classes`` - 1, or there are no rows.
        """
        return Labelled(self.pictures(), self.labels(classes))


def parquet_paths(folder: Path, split_names: SplitNames) -> dict[str, list[Path]]:
    """Find the parquet files of each split, in the order of their names.

    The letters that a file's name begins with, before a hyphen or a number, tell its split:
    ``train`` of train-00000-of-00001.parquet.

    Raises:
        UserError: A file is of no split or may be of several, or a split has two names.
    """
    files: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.parquet")):
        begins = SPLIT.match(path.stem)
        files.setdefault(begins[0] if begins else path.name, []).append(path)
    chosen = choose_splits(files, folder, split_names)
    return {split: files[name] for split, name in chosen.items()}


def find_columns(path: Path, image: str | None = None, label: str | None = None) -> Columns:
    """Find the columns of images and labels, or check those that are named.

    Unless it is named, the image column is the one struct that has bytes, and the label column the
    one of class labels by the metadata, else the one of integers.

    Raises:
        UserError: No column fits, several do, or the file is not parquet.
    """
    schema, is_integer = _schema(path), _arrow(".types").is_integer
    images = [field.name for field in schema if _holds_bytes(field.type)]
    integers = [field.name for field in schema if is_integer(field.type)]
    named = _features(schema)
    labels = [name for name in integers if "names" in named.get(name, {})] or integers
    images = [image] if image in images else [] if image else images
    labels = [label] if label in integers else [] if label else labels
    if not images or not labels:
        found = ", ".join(f"{field.name}: {field.type}" for field in schema)
        needed = f"{image or 'an image column'}: struct<bytes: binary, path: string>"
        needed += f" and {label or 'a label column'}: integer"
        raise UserError(f"{path} has columns {found}; needed: {needed}")
    return Columns(_the_one(images, "image", path), _the_one(labels, "label", path))


def _the_one(names: Sequence[str], kind: str, path: Path) -> str:
    listed = ", ".join(names)
    message = (
        f"{path} has the {kind} columns {listed}; set data.options.{kind}_column to one of them"
    )
    require(len(names) == 1, message)
    return names[0]


def _holds_bytes(kind: pa.DataType) -> bool:
    if not _arrow(".types").is_struct(kind):
        return False
    position, binary = kind.get_field_index("bytes"), (_arrow().binary(), _arrow().large_binary())
    return position >= 0 and kind.field(position).type in binary


def _features(schema: pa.Schema) -> Mapping[str, dict[str, Any]]:
    try:
        features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
        return {name: kind for name, kind in features.items() if isinstance(kind, dict)}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def _schema(path: Path) -> pa.Schema:
    with _readable(path):
        return _arrow(".parquet").read_schema(path)


def _column(path: Path, name: str, *inner: str) -> list[Any]:
    with _readable(path):
        table = _arrow(".parquet").read_table(path, columns=[name]).flatten()
    return list(table[".".join((name, *inner))].to_pylist())


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        openable(path)
        yield
    except (_arrow().ArrowException, OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        message = f"{path} is not a readable parquet file ({reason}); get it again"
        raise UserError(message) from error


def _arrow(module: str = "") -> ModuleType:
    return from_extra("data", f"pyarrow{module}")
