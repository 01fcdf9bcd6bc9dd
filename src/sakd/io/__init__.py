"""Kedro datasets for what kedro-datasets has no type for: weights with a card, and cells."""

from sakd.io.cell_store_dataset import CellStoreDataset
from sakd.io.weights_dataset import WeightsDataset

__all__ = ["CellStoreDataset", "WeightsDataset"]
