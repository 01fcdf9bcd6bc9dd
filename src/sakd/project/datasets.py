"""Kedro datasets for what kedro-datasets has no type for: splits, cells, weights, folders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import JSONPreview

from sakd.data import Parts, SplitStore
from sakd.data.splits.store import parts_in
from sakd.foundation.files import write_folder
from sakd.study.store import CellStore
from sakd.weights.saved import Weights, load_weights, save_weights


class Handle(AbstractDataset[NoReturn, Any]):
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

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self.filepath)}


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


class SplitsDataset(AbstractDataset[Parts, Parts]):
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

    def _exists(self) -> bool:
        return bool(self.load())

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self.filepath)}


class WeightsDataset(AbstractDataset[Weights, Weights]):
    """A safetensors file and its JSON card, each written whole or not at all."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Keep the weights in ``filepath``; ``metadata`` is for plugins such as kedro-viz."""
        self.filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Weights:
        """Read tensors and card."""
        return load_weights(self.filepath)

    def save(self, data: Weights) -> None:
        """Write tensors and card."""
        save_weights(data, self.filepath)

    def preview(self) -> JSONPreview:
        """Show the card in kedro-viz."""
        card = self.filepath.with_suffix(".json")
        return JSONPreview(card.read_text() if card.exists() else "{}")

    def _exists(self) -> bool:
        return self.filepath.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self.filepath)}


class FolderDataset(AbstractDataset[Mapping[str, bytes], dict[str, bytes]]):
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

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self.filepath)}
