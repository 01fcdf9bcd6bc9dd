"""Kedro datasets of splits, cells, weights and folders, and of files with a checksum."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import ImagePreview, JSONPreview, TablePreview

from sakd.data import Parts, SplitStore
from sakd.data.splits.store import parts_in
from sakd.foundation.errors import DamagedError
from sakd.foundation.files import write_folder
from sakd.foundation.frames import read_sealed_table
from sakd.foundation.sealing import (
    AGAIN,
    read_sealed,
    sealed_at_once,
    write_sealed,
)
from sakd.project.previews import images_of, lines_of
from sakd.study.store import CellStore
from sakd.weights.saved import Weights, load_weights, save_weights

Saved = TypeVar("Saved")
Loaded = TypeVar("Loaded")


class Kept(AbstractDataset[Saved, Loaded]):
    """Data in a file or a folder, whose path is all that there is to say of them."""

    filepath: Path

    def _exists(self) -> bool:
        return self.filepath.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self.filepath)}


class Handle(Kept[NoReturn, Any]):
    """A handle on a folder: nodes read and write through it, as much at a time as they like.

    The folder need not exist yet.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Give a handle on ``filepath``; ``metadata`` is for plugins such as kedro-viz."""
        self.filepath = Path(filepath)
        self.metadata = metadata

    def save(self, data: NoReturn) -> NoReturn:
        """Refuse: the folder is written through the handle.

        Raises:
            DatasetError: Always.
        """
        raise DatasetError(f"{self.filepath} is written through the handle that load() gives")

    def _exists(self) -> bool:
        return True


class SplitStoreDataset(Handle):
    """A handle on prepared splits: data preparation reads what an earlier run has left."""

    def load(self) -> SplitStore:
        """Give the handle."""
        return SplitStore(self.filepath)


class CellStoreDataset(Handle):
    """A handle on the cells: a node that is cut off leaves those that it had finished."""

    def load(self) -> CellStore:
        """Give the handle."""
        return CellStore(self.filepath)


class SplitsDataset(Kept[Parts, Parts]):
    """The splits in one folder, each read when a node calls for it.

    They are written through the handle that `SplitStoreDataset` gives.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Read the splits in ``filepath``; ``metadata`` is for plugins such as kedro-viz."""
        self.filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Parts:
        """Give a function for each split that reads it."""
        return parts_in(self.filepath)

    def save(self, data: Parts) -> None:
        """Accept the splits that are there already.

        Raises:
            DatasetError: One is not.
        """
        if absent := sorted(data.keys() - self.load().keys()):
            raise DatasetError(
                f"{self.filepath} has no {', '.join(absent)}: write it by the handle"
            )

    def preview(self) -> ImagePreview:
        """Show the first images of each split in kedro-viz."""
        return images_of(self.load())

    def _exists(self) -> bool:
        return bool(self.load())


class WeightsDataset(Kept[Weights, Weights]):
    """A safetensors file and its JSON card, each written whole or not at all."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Keep the weights in ``filepath``; ``metadata`` is for plugins such as kedro-viz."""
        self.filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Weights:
        """Read tensors and card."""
        with _in_these_words():
            return load_weights(self.filepath)

    def save(self, data: Weights) -> None:
        """Write tensors and card."""
        save_weights(data, self.filepath)

    def preview(self) -> JSONPreview:
        """Show the card in kedro-viz."""
        card = self.filepath.with_suffix(".json")
        return JSONPreview(card.read_text() if card.exists() else "")


class SealedJSONDataset(Kept[Mapping[str, Any], dict[str, Any]]):
    """A JSON object with its checksum, written whole or not at all."""

    def __init__(
        self, *, filepath: str, remedy: str = AGAIN, metadata: dict[str, Any] | None = None
    ) -> None:
        """Keep the object in ``filepath``; name ``remedy`` if it is damaged."""
        self.filepath = Path(filepath)
        self.remedy = remedy
        self.metadata = metadata

    def load(self) -> dict[str, Any]:
        """Read the object without its checksum."""
        with _in_these_words():
            return read_sealed(self.filepath, self.remedy)

    def save(self, data: Mapping[str, Any]) -> None:
        """Write the object with its checksum."""
        write_sealed(self.filepath, data)

    def preview(self) -> JSONPreview:
        """Show the object in kedro-viz."""
        return JSONPreview(json.dumps(self.load(), indent=2) if self._exists() else "")


class SealedTableDataset(Kept[pd.DataFrame, pd.DataFrame]):
    """A table as CSV or Parquet, written whole or not at all, with its checksum next to it."""

    def __init__(
        self, *, filepath: str, remedy: str = AGAIN, metadata: dict[str, Any] | None = None
    ) -> None:
        """Keep the table in ``filepath`` (.csv or .parquet); name ``remedy`` if it is damaged."""
        self.filepath = Path(filepath)
        self.remedy = remedy
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Read the table."""
        with _in_these_words():
            return read_sealed_table(self.filepath, self.remedy)

    def save(self, data: pd.DataFrame) -> None:
        """Write the table and its checksum."""
        with sealed_at_once(self.filepath) as partial:
            if self.filepath.suffix == ".csv":
                data.to_csv(partial, index=False)
            else:
                data.to_parquet(partial, index=False, compression="zstd")

    def preview(self, nrows: int = 5) -> TablePreview:
        """Show the first lines in kedro-viz."""
        return lines_of(self.load(), nrows) if self._exists() else TablePreview({})


@contextmanager
def _in_these_words() -> Iterator[None]:
    """Report damage in the one line that it has, to which Kedro would add its own.

    Raises:
        DatasetError: A file is damaged.
    """
    try:
        yield
    except DamagedError as error:
        raise DatasetError(str(error)) from error


class FolderDataset(Kept[Mapping[str, bytes], dict[str, bytes]]):
    """A folder of files, by their names, written whole: files of an earlier run do not stay."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Keep the files in ``filepath``; ``metadata`` is for plugins such as kedro-viz."""
        self.filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> dict[str, bytes]:
        """Read every file."""
        return {file.name: file.read_bytes() for file in sorted(self.filepath.iterdir())}

    def save(self, data: Mapping[str, bytes]) -> None:
        """Write the files in the place of those that are there."""
        write_folder(self.filepath, data)

    def _exists(self) -> bool:
        return self.filepath.is_dir()
