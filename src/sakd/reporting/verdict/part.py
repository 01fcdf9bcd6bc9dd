"""The part of a study that is on one dataset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sakd.foundation.errors import require
from sakd.foundation.frames import read_sealed_table
from sakd.reporting.tables.frames import PAIR
from sakd.reporting.tables.outcomes import MARGIN, Outcomes

Pair = tuple[str, str, str]
"""Dataset, teacher and student."""

_FILES = {
    "results": "08_reporting/{}/results.csv",
    "history": "07_model_output/{}/history.csv",
    "predictions": "07_model_output/{}/predictions.parquet",
}


@dataclass(frozen=True)
class Part:
    """The findings of a study on one dataset.

    Attributes:
        dataset: Its name.
        outcomes: The cells, their answers, and what became of their routers.
        history: One line per (cell, epoch).
    """

    dataset: str
    outcomes: Outcomes
    history: pd.DataFrame

    @classmethod
    def read(cls, data: Path, dataset: str, margin: float = MARGIN) -> Part:
        """Read the results of ``dataset`` in the folder ``data``, where runs leave them.

        Args:
            data: The folder.
            dataset: The name by which files know the dataset.
            margin: The difference in accuracy that does not matter, as a fraction.

        Raises:
            UserError: A file is missing or damaged.
        """
        paths = {name: data / path.format(dataset) for name, path in _FILES.items()}
        for path in paths.values():
            require(path.is_file(), f"there is no file {path}: run the study of {dataset!r} first")
        results, history, predictions = map(read_sealed_table, paths.values())
        return cls.of(results, history, predictions, margin)

    @classmethod
    def of(
        cls,
        results: pd.DataFrame,
        history: pd.DataFrame,
        predictions: pd.DataFrame | None = None,
        margin: float = MARGIN,
    ) -> Part:
        """Join what the runs on one dataset have left."""
        outcomes = Outcomes.of(results, history, predictions, margin)
        return cls(str(outcomes.cells["dataset"].iloc[0]), outcomes, history)

    @property
    def cells(self) -> pd.DataFrame:
        """One line per cell."""
        return self.outcomes.cells

    @property
    def pairs(self) -> list[Pair]:
        """The pairs of teacher and student, in the order of the cells."""
        lines = self.cells[PAIR].drop_duplicates()
        return [
            (str(dataset), str(teacher), str(student))
            for dataset, teacher, student in lines.to_numpy()
        ]

    def of_pair(self, pair: Pair) -> Outcomes:
        """Select the outcomes of one pair."""
        return self.outcomes.of_pair(pair)
