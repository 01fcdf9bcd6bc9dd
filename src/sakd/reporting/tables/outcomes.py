"""The outcomes of a study: all that comparisons are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from sakd.reporting.tables.answers import Answers
from sakd.reporting.tables.frames import of_pair, prepared
from sakd.reporting.tables.routers import Router, routers

MARGIN = 0.005
"""The difference in accuracy that does not matter, as a fraction: half a point."""


@dataclass(frozen=True)
class Outcomes:
    """The cells of a study, what they answered, and what became of their routers.

    Attributes:
        cells: The results, see `prepared`.
        answers: The right answers of every cell; None where they were not kept.
        routers: What became of the router of each cell that has one and a history.
        margin: The difference in accuracy that does not matter, as a fraction.
    """

    cells: pd.DataFrame
    answers: Answers | None = None
    routers: Mapping[str, Router] = field(default_factory=dict)
    margin: float = MARGIN

    @classmethod
    def of(
        cls,
        results: pd.DataFrame,
        history: pd.DataFrame | None = None,
        predictions: pd.DataFrame | None = None,
        margin: float = MARGIN,
    ) -> Outcomes:
        """Check and join what a run has left.

        Args:
            results: One line per cell.
            history: One line per (cell, epoch); without it no router is known.
            predictions: One line per (cell or teacher, test image); without it intervals are of
                seeds alone.
            margin: The difference in accuracy that does not matter, as a fraction.
        """
        cells = prepared(results)
        answers = None if predictions is None else Answers(predictions)
        return cls(cells, answers, routers(cells, history), margin)

    def of_pair(self, pair: tuple[str, ...]) -> Outcomes:
        """Select the outcomes of one (dataset, teacher, student)."""
        return replace(self, cells=of_pair(self.cells, pair))
