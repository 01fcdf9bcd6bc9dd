"""Weights in the catalog."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset
from kedro_datasets._typing import JSONPreview

from sakd.weights import Weights, load_weights, save_weights


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
