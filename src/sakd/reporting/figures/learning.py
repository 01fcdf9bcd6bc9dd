"""The figure of learning curves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from sakd.foundation.vocabulary import NONE
from sakd.reporting.figures.lines import Line, draw, line, points, with_cells
from sakd.reporting.figures.panels import blank, panels, place
from sakd.reporting.figures.styles import ALONE, policy_styles
from sakd.reporting.tables.columns import TITLE, VAL
from sakd.reporting.tables.frames import PAIR, distilled, pair_name, policies_in, prepared
from sakd.reporting.tables.reference import STUDENT

_HEIGHT = 300
_NARROWEST = 1.0
"""Percentage points that a panel shows at least."""

_Panel = tuple[str, list[Line]]


def learning_curves(history: pd.DataFrame, results: pd.DataFrame) -> go.Figure:
    """Plot validation accuracy per epoch: the mean over the finished seeds and their spread.

    There is a panel for each distiller of each pair, with a line for each policy and a grey one for
    the student alone. The second half of the training is in sight, a double click shows all.

    Args:
        history: One line per (cell, epoch).
        results: One line per cell.
    """
    cells = prepared(results)
    merged = with_cells(history, cells)
    if merged.empty or VAL not in merged or merged[VAL].isna().all():
        return blank("No learning curves: no finished cell has a history.")
    pairs = list(merged.groupby(PAIR, sort=False))
    drawn = [
        (f"{title} | {pair_name(pair)}" if len(pairs) > 1 else title, lines)
        for pair, group in pairs
        for title, lines in _panels(group)
    ]
    figure = panels([title for title, _ in drawn], panel_height=_HEIGHT)
    for number, (_, lines) in enumerate(drawn):
        half = _half(lines)
        draw(figure, lines, place(number), _zoom(lines, half), half)
    figure.update_xaxes(title_text="epoch")
    return figure.update_yaxes(title_text=f"validation {TITLE}")


def _panels(history: pd.DataFrame) -> Iterator[_Panel]:
    """Yield the lines of every distiller of a pair; of no distiller those of the student alone."""
    alone = history[history["distiller"] == NONE]
    most = points(len(history.drop_duplicates(["distiller", "policy"])))
    shared = [line(alone, VAL, name=STUDENT, style=ALONE, scale=100, most=most)] * bool(len(alone))
    if distilled(history).empty:
        yield STUDENT, shared
    names = policies_in(history)
    looks = policy_styles(names)
    for distiller, group in distilled(history).groupby("distiller", sort=False):
        of_policies = dict(list(group.groupby("policy")))
        lines = [
            line(of_policies[name], VAL, name=name, style=looks[name], scale=100, most=most)
            for name in names
            if name in of_policies
        ]
        yield str(distiller), [*lines, *shared]


def _half(lines: list[Line]) -> int:
    """Find the epoch at which half of the training is over."""
    return max(max(each.epochs[-1] for each in lines) // 2, 1)


def _zoom(lines: list[Line], half: int) -> list[float]:
    """Choose the range in which the lines and their spread are from this epoch on."""
    parts = []
    for each in lines:
        late = np.array(each.epochs) >= half
        mean, sd = each.mean.to_numpy()[late], each.sd.fillna(0).to_numpy()[late]
        parts += [*(mean - sd), *(mean + sd)]
    low, high = min(parts), max(parts)
    margin = max(0.05 * (high - low), (_NARROWEST - (high - low)) / 2)
    return [round(float(low - margin), 2), round(float(high + margin), 2)]
