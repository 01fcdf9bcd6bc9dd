"""What an earlier run has prepared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kedro.io import AbstractDataset, CatalogProtocol, DatasetError
from torch import Tensor

from sakd.data import DataCard, Images, Splits, content_hash, from_tensors
from sakd.foundation.errors import UserError


class Earlier:
    """The outputs of data preparation as the catalog has them, which a node cannot have as input.

    Its node would otherwise read and split the images at every run.
    """

    def __init__(
        self,
        catalog: CatalogProtocol[str, Any],
        name: str,
        read: Callable[[Mapping[str, Tensor]], Images] = from_tensors,
    ) -> None:
        """Look for the dataset called ``name`` in ``catalog``; ``read`` makes images of tensors."""
        self._catalog, self._name, self._read = catalog, name, read

    def splits(self, key: str) -> Splits | None:
        """The splits that were prepared as ``key`` says, if they are there and intact."""
        card = self._card()
        if card is None or card.key != key:
            return None
        train, val = (self._part("development", part) for part in ("train", "val"))
        test = self._part("test", "test")
        if train is None or val is None or test is None:
            return None
        intact = content_hash([train, val, test]) == card.sha256
        return Splits(train, val, test, card) if intact else None

    def _card(self) -> DataCard | None:
        dataset = self._dataset("card")
        try:
            return DataCard.from_json(dataset.load()) if dataset.exists() else None
        except (UserError, DatasetError):  # another version's, or damaged
            return None

    def _part(self, entry: str, name: str) -> Images | None:
        dataset = self._dataset(entry)
        try:
            part = dataset.load().get(name) if dataset.exists() else None
            return None if part is None else self._read(part())
        except (DatasetError, KeyError, ValueError):  # of an interrupted run, or damaged
            return None

    def _dataset(self, entry: str) -> AbstractDataset[Any, Any]:
        dataset: AbstractDataset[Any, Any] = self._catalog[f"{self._name}-{entry}"]
        return dataset
