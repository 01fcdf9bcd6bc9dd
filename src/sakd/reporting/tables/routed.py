"""Which training images distilled: the measures of routing, averaged over seeds."""

from __future__ import annotations

import pandas as pd

from sakd.reporting.tables.frames import PAIR, distilled
from sakd.reporting.tables.kinds import tells_apart

METHOD = ["distiller", "policy"]
MEASURE = ["spot", "measure", "by", "group"]


def routed(cells: pd.DataFrame) -> pd.DataFrame:
    """Select the finished cells whose policies tell images apart."""
    found = distilled(cells)
    return found[found["finished"] & found["policy"].map(tells_apart).astype(bool)]


def unrecorded(cells: pd.DataFrame, routing: pd.DataFrame) -> int:
    """Count those of the `routed` cells of which ``routing`` has nothing."""
    return int((~routed(cells)["cell"].isin(routing["cell"])).sum())


def routed_rows(cells: pd.DataFrame, routing: pd.DataFrame) -> pd.DataFrame:
    """Average the measures of every method over its finished cells.

    Args:
        cells: One line per cell, checked.
        routing: One line per cell, spot, measure and group, as the evaluation makes them.

    Returns:
        ``dataset, teacher, student, distiller, policy, spot, measure, by, group``; ``value``, the
        mean over the cells that have one; ``images``, how many it is of, the fewest of a cell; and
        ``seeds``, the number of cells.
    """
    keys = routed(cells)[["cell", *PAIR, *METHOD]]
    joined = keys.merge(routing, on="cell")
    groups = joined.groupby([*PAIR, *METHOD, *MEASURE], sort=False)
    found = groups.agg(value=("value", "mean"), images=("images", "min"), seeds=("cell", "nunique"))
    return found.reset_index()
