"""The image files of a dataset, by split and class, as a CSV file names them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sakd.data.sources.base import OnError
from sakd.data.sources.classes import LENGTH, composed, writable
from sakd.data.sources.listing import ClassFiles
from sakd.data.sources.split_names import SplitNames, choose_splits
from sakd.foundation.errors import UserError, require
from sakd.foundation.files import readable
from sakd.foundation.names import listed
from sakd.foundation.text import UNWRITABLE, quoted

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "file": ("file", "file_name", "filename", "path", "image"),
    "label": ("label", "class"),
    "split": ("split",),
}
"""The names that columns may have, in small or capital letters; ``split`` may be missing."""

SEPARATORS = ",;\t"

Row = dict[str, str]


@dataclass(frozen=True)
class LabelsFile:
    """A CSV file with a row per image: the file, its label and, if it has that column, its split.

    Attributes:
        top: The folder of the dataset, which paths in the file are relative to.
        name: The path of the CSV file, relative to ``top`` too.
        split_names: What the splits may be called.
        on_error: Whether images that are not there are refused, or left to be skipped.
    """

    top: Path
    name: str
    split_names: SplitNames
    on_error: OnError = "refuse"

    @property
    def file(self) -> Path:
        """The CSV file."""
        return self.top / self.name

    def splits(self) -> dict[str, Path]:
        """Find the splits that the file names; train alone where it has no such column.

        Raises:
            UserError: The file is missing or not as it should be.
        """
        return dict.fromkeys(self.found(), self.file)

    def found(self) -> dict[str, ClassFiles]:
        """Find the images of each class of each split.

        Raises:
            UserError: The file is missing or not as it should be, or names images that are not.
        """
        rows = self._rows()
        names = list(dict.fromkeys(row["split"] for row in rows))
        chosen = choose_splits(names, f"the column split of {self.file}", self.split_names)
        require("train" in chosen, f"{self.file} has no image for train; name some in its split")
        splits = {name: split for split, name in chosen.items()}
        files: dict[str, ClassFiles] = {split: {} for split in chosen}
        for row in rows:
            of_class = files[splits[row["split"]]].setdefault(composed(row["label"]), [])
            of_class.append(self.top / row["file"])
        if self.on_error == "refuse":
            gone = [row["file"] for row in rows if not (self.top / row["file"]).is_file()]
            found = f"{len(gone):,} of {len(rows):,} images in {self.file} are not there"
            remedy = f"paths are relative to {self.top}; or set data.on_error to skip"
            require(not gone, f"{found}: {listed(gone)}; {remedy}")
        return files

    def _rows(self) -> list[Row]:
        require(self.file.is_file(), f"data.options.labels: no file {self.file}; put it there")
        try:
            with readable(), self.file.open(encoding="utf-8-sig", newline="") as text:
                head = text.readline()
                text.seek(0)
                separator = max(SEPARATORS, key=head.count)
                reader = csv.DictReader(text, delimiter=separator, strict=True)
                columns = self._columns(list(reader.fieldnames or ()))
                rows = [{c: (row[at] or "").strip() for c, at in columns.items()} for row in reader]
        except (csv.Error, UnicodeDecodeError) as error:
            raise UserError(
                f"{self.file} is not a CSV file in UTF-8 ({error}); write it again"
            ) from error
        for row in rows:
            row.setdefault("split", "train")
        self._check(rows)
        return rows

    def _columns(self, head: list[str]) -> dict[str, str]:
        found = {
            column: next((name for name in head if name.strip().lower() in allowed), None)
            for column, allowed in COLUMNS.items()
        }
        for column in ("file", "label"):
            message = f"{self.file} has the columns {listed(head)} and none called "
            allowed = " or ".join(COLUMNS[column])
            require(found[column] is not None, f"{message}{allowed}; name them in its first line")
        return {column: name for column, name in found.items() if name is not None}

    def _check(self, rows: list[Row]) -> None:
        require(bool(rows), f"{self.file} names no images; add rows")
        for number, row in enumerate(rows, start=2):
            place = f"line {number} of {self.file}"
            for column, value in row.items():
                fine = not UNWRITABLE.search(value) if column == "file" else writable(value)
                found = f"{place} has the {column} {quoted(value)}"
                require(fine and bool(value), f"{found}; give it a text of one line, {LENGTH}")
            path = PurePosixPath(row["file"])
            outside = path.is_absolute() or ".." in path.parts
            require(not outside, f"{place} names {path}, which is not in {self.top}; move it there")
        twice = [file for file, times in Counter(row["file"] for row in rows).items() if times > 1]
        found = f"{self.file} names {len(twice):,} images more than once"
        require(not twice, f"{found}: {listed(twice)}; keep one line of each")
