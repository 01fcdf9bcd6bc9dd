"""The measures of every method, averaged over its seeds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from sakd.foundation.vocabulary import NONE
from sakd.reporting.tables.columns import COST, MEASURES, OF_TEACHERS, TEST
from sakd.reporting.tables.frames import PAIR, by_method, prepared
from sakd.reporting.tables.reference import STUDENT, TEACHER

AVERAGED = (TEST, *MEASURES, "seconds")
"""The columns that are averaged: accuracy, all other measures, the time of training."""


def measure_rows(results: pd.DataFrame) -> pd.DataFrame:
    """Average every measure over the finished cells of a method, for each pair.

    Args:
        results: One line per cell.

    Returns:
        ``dataset, teacher, student, distiller, policy``, the columns of `AVERAGED`, and ``n``, the
        finished cells. Each pair begins with its teacher (distiller ``teacher``, n = 1); the
        student alone is the distiller ``student alone``; both have the policy ``none``.
    """
    cells = prepared(results)
    lines: list[dict[str, object]] = []
    for pair, group in cells.groupby(PAIR, sort=False):
        lines.append({**dict(zip(PAIR, pair, strict=True)), **_teacher(group)})
        for named, of_method in by_method(group):
            model = STUDENT if named["distiller"] == NONE else named["distiller"]
            finished = of_method[of_method["finished"]]
            means = {name: finished[name].mean() for name in AVERAGED}
            lines.append({**named, "distiller": model, **means, "n": len(finished)})
    columns = [*PAIR, "distiller", "policy", *AVERAGED, "n"]
    return pd.DataFrame(lines, columns=columns).astype(dict.fromkeys(AVERAGED, float))


def _teacher(group: pd.DataFrame) -> dict[str, object]:
    """Give the measures of the teacher; where seeds have teachers of their own, their means."""
    each = group.groupby("seed")[[f"teacher_{name}" for name in OF_TEACHERS]].first()
    means = {name: each[f"teacher_{name}"].mean() for name in OF_TEACHERS}
    return {"distiller": TEACHER, "policy": NONE, **means, "n": 1}


def cost_rows(results: pd.DataFrame) -> pd.DataFrame:
    """List what every network costs: the teachers, then what their students became.

    Returns:
        ``network``, ``role`` (``teacher`` or ``student``) and the columns of `COST`.
    """
    cells = prepared(results)
    lines = [line for role in (TEACHER, "student") for line in _networks(cells, role)]
    table = pd.DataFrame(lines, columns=["network", "role", *COST])
    return table.drop_duplicates(["network", "role"], ignore_index=True)


def _networks(cells: pd.DataFrame, role: str) -> Iterator[dict[str, object]]:
    prefix, column = ("teacher_", "teacher") if role == TEACHER else ("", "network")
    if column not in cells:
        return
    for network, group in cells.groupby(column, sort=False):
        found = group[[f"{prefix}{name}" for name in COST]].dropna(how="all")
        values = found.iloc[0].tolist() if len(found) else [np.nan] * len(COST)
        yield {"network": network, "role": role, **dict(zip(COST, values, strict=True))}
