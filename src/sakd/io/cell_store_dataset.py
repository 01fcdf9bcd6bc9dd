"""The store of cells in the catalog."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from sakd.store import CellStore


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
