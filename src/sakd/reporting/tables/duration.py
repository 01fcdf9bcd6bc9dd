"""The time that trainings took, where some ran side by side."""

from __future__ import annotations

import math

import pandas as pd

from sakd.foundation.spans import covered

SECOND = 1e9
"""A second in nanoseconds, the unit in which pandas gives the value of a span."""


def training_seconds(cells: pd.DataFrame) -> float:
    """Count the seconds in which at least one cell or teacher was trained.

    Cells that are trained side by side share their time, so a sum over cells would count it
    several times. NaN where a cell does not say when it ended.

    Args:
        cells: One line per cell, with ``seconds`` and ``ended``, and of its teacher, where that
            was trained here, ``teacher_seconds`` and ``teacher_ended``.
    """
    spans = []
    for prefix in ("", "teacher_"):
        names = [f"{prefix}seconds", f"{prefix}ended"]
        if not set(names) <= set(cells.columns):
            continue
        lines = cells[names].drop_duplicates()
        ends = pd.to_datetime(lines[names[1]].replace("", None), utc=True)
        spent = pd.to_timedelta(lines[names[0]], unit="s")
        if not prefix and ends.isna().any():
            return math.nan
        spans += [pair for pair in zip(ends - spent, ends, strict=True) if not pd.isna(pair[1])]
    return _covered(spans) if spans else math.nan


def _covered(spans: list[tuple[pd.Timestamp, pd.Timestamp]]) -> float:
    """Count the seconds within any of the spans."""
    first = min(start for start, _ in spans)
    return covered(((start - first).value, (end - first).value) for start, end in spans) / SECOND
