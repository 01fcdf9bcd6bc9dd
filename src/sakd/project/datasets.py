"""Kedro datasets for what kedro-datasets has no type for: weights with a card, and cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import JSONPreview

from sakd.study.store import CellStore
from sakd.weights.saved import Weights, load_weights, save_weights


class CellStoreDataset(AbstractDataset[NoReturn, CellStore]):
    """A handle on the folder of cells: nodes read and write cells through it, one at a time.

    So a node that is cut off leaves what it had finished, and its next run goes on from there.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Keep the cells under ``filepath``; ``metadata`` is for plugins such as kedro-viz."""
        self.filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> CellStore:
        """The handle; the folder need not exist yet."""
        return CellStore(self.filepath)

    def save(self, data: NoReturn) -> NoReturn:
        """Refuse: cells are written through the handle.

        Raises:
            DatasetError: always.
        """
        raise DatasetError(f"{self.filepath} is written through the handle that load() gives")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self.filepath)}


class WeightsDataset(AbstractDataset[Weights, Weights]):
    """A safetensors file with a JSON card beside it, written at once or not at all."""

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
        """The card, for kedro-viz."""
        card = self.filepath.with_suffix(".json")
        return JSONPreview(card.read_text() if card.exists() else "{}")

    def _exists(self) -> bool:
        return self.filepath.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self.filepath)}
