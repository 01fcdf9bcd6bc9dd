"""The figure of rates by the difficulty of images."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from sakd.measures.routing import DIFFICULTIES
from sakd.reporting.figures.lines import Line, draw
from sakd.reporting.figures.panels import blank, panels, place
from sakd.reporting.figures.styles import Style, styles
from sakd.reporting.tables.frames import PAIR, pair_name
from sakd.reporting.tables.shown_routing import CORRELATIONS

_HEIGHT = 280
_MOST = 24
"""Panels of a figure; of more the first are shown."""


def rates_by_difficulty(rows: pd.DataFrame) -> go.Figure:
    """Plot the rate of each tenth of the training images, the easiest first; a line per spot.

    Mean over the finished seeds; a panel for each distiller and policy (of each pair). Difficulty
    is the loss of the student alone where that is known, and else the first that is.

    Args:
        rows: As `sakd.reporting.tables.routed.routed_rows` gives them.
    """
    parts = rows[rows["measure"] == "part"]
    known = [by for by in DIFFICULTIES if (parts["by"] == by).any()]
    if not known:
        return blank("No rates by difficulty: no decisions were recorded.")
    parts = parts[parts["by"] == known[0]]
    groups = list(parts.groupby([*PAIR, "distiller", "policy"], sort=False))[:_MOST]
    several = len(parts.drop_duplicates(PAIR)) > 1
    looks = styles(spots := list(parts["spot"].unique()), spots)
    highest = max(1.0, parts["value"].max())
    figure = panels([_title(key, several) for key, _ in groups], panel_height=_HEIGHT)
    for number, (_, group) in enumerate(groups):
        lines = [_line(own, looks[spot]) for spot, own in group.groupby("spot", sort=False)]
        draw(figure, lines, place(number), [-0.03, 1.03 * highest])
    figure.update_xaxes(title_text=f"tenth by {CORRELATIONS[known[0]]}")
    return figure.update_yaxes(title_text="rate, all epochs", zeroline=False)


def _title(key: tuple[str, ...], several: bool) -> str:
    *pair, distiller, policy = key
    return f"{distiller}, {policy}" + (f" | {pair_name(tuple(pair))}" if several else "")


def _line(parts: pd.DataFrame, style: Style) -> Line:
    """Give the line of a spot; deviations between seeds are not shown."""
    rates = parts.set_index("group")["value"].sort_index().round(4)
    unknown = pd.Series(float("nan"), index=rates.index)
    name, seeds = parts["spot"].iloc[0], parts["seeds"].tolist()
    return Line(name, style, rates.index.tolist(), rates, unknown, seeds, unit="tenth")
