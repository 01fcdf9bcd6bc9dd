"""Lines over epochs: means over seeds with their spread, and labels at their ends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from sakd.reporting.figures.panels import label
from sakd.reporting.figures.styles import PLOTLY_MARKERS, Style
from sakd.reporting.tables.frames import PAIR

POINTS = 24
"""Epochs that a line shows at most, evenly spaced, the first and the last among them."""

_FEWEST, _ALL_POINTS = 6, 1200
"""Epochs that a line shows at least, and about how many all lines of a figure show."""

_MARKED = 6
_OPACITY = 0.15
_LABEL_HEIGHT = 15
_LABEL_ROOM = 0.5


class Line(NamedTuple):
    """A named line of a panel.

    Attributes:
        name: The label at its end.
        style: Its look.
        epochs: The epochs that it shows.
        mean: A value for each of them.
        sd: The standard deviation between cells; NaN for a single one.
        cells: The number of cells that each mean is of.
        unit: The name of what ``epochs`` counts, where it is something else.
    """

    name: str
    style: Style
    epochs: list[int]
    mean: pd.Series
    sd: pd.Series
    cells: list[int]
    unit: str = "epoch"


def with_cells(history: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Join the history of the finished cells with their keys, in the order of the results."""
    if history.empty:
        return pd.DataFrame(columns=PAIR)
    keys = cells.loc[cells["finished"], ["cell", *PAIR, "distiller", "policy", "seed"]]
    clashing = [name for name in keys.columns[1:] if name in history]
    return keys.merge(history.drop(columns=clashing), on="cell")


def line(
    group: pd.DataFrame,
    column: str,
    *,
    name: str,
    style: Style,
    scale: float = 1,
    most: int = POINTS,
) -> Line:
    """Average a column of the history over cells, at some epochs."""
    by_epoch = group.groupby("epoch")[column].agg(["mean", "std", "count"])
    by_epoch = by_epoch[by_epoch["count"] > 0]
    by_epoch = by_epoch.iloc[thinned(len(by_epoch), most)]
    mean, sd = ((scale * by_epoch[part]).round(_digits(scale)) for part in ("mean", "std"))
    return Line(name, style, by_epoch.index.tolist(), mean, sd, by_epoch["count"].tolist())


def _digits(scale: float) -> int:
    """Keep the digits that reports show: two of a percentage, four of a fraction."""
    return 4 - round(math.log10(scale))


def points(lines: int) -> int:
    """Choose how many epochs each of so many lines shows: fewer, where there are many."""
    return max(_FEWEST, min(POINTS, _ALL_POINTS // max(lines, 1)))


def thinned(number: int, most: int) -> list[int]:
    """Choose at most so many of ``number`` places: evenly, the first and the last among them."""
    if number <= most:
        return list(range(number))
    return [round(place) for place in np.linspace(0, number - 1, most)]


def draw(
    figure: go.Figure,
    lines: Sequence[Line],
    where: dict[str, int],
    zoom: list[float],
    first: float = 1,
) -> None:
    """Draw the lines of a panel, their spread below them and their names at their ends.

    Args:
        figure: The figure.
        lines: At least one.
        where: The row and the column of the panel.
        zoom: The lowest and the highest value in sight.
        first: The first epoch in sight.
    """
    for each in lines:
        if each.sd.notna().all():
            figure.add_trace(_band(each), **where)
    for each in lines:
        figure.add_trace(_mean(each), **where)
    last = max(each.epochs[-1] for each in lines)
    room = _LABEL_ROOM * max(last - first, 1)
    height = figure.layout.meta["panel_height"] - 100
    figure.add_trace(_names(lines, zoom, last + room / 15, height), **where)
    ticks = sorted({first, round((first + last) / 2), last})
    figure.update_xaxes(range=[first - room / 10, last + room], tickvals=ticks, **where)
    figure.update_yaxes(range=zoom, **where)


def _band(each: Line) -> go.Scatter:
    low, high = each.mean - each.sd, each.mean + each.sd
    red, green, blue = (int(each.style.colour[k : k + 2], 16) for k in (1, 3, 5))
    return go.Scatter(
        x=[*each.epochs, *reversed(each.epochs)],
        y=[*low.round(3).tolist(), *reversed(high.round(3).tolist())],
        fill="toself",
        fillcolor=f"rgba({red},{green},{blue},{_OPACITY})",
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
    )


def _mean(each: Line) -> go.Scatter:
    alike = len(set(each.cells)) == 1  # then it is said once, which keeps the page small
    number = each.cells[0] if alike else "%{customdata}"
    return go.Scatter(
        x=each.epochs,
        y=each.mean.tolist(),
        customdata=None if alike else each.cells,
        name=label(each.name),
        mode="lines+markers" if len(each.epochs) > 1 else "markers",
        line={"color": each.style.colour, "dash": each.style.plotly_dash, "width": 2},
        marker={
            "symbol": PLOTLY_MARKERS[each.style.marker],
            "size": 7,
            "maxdisplayed": _MARKED,
        },
        hovertemplate=f"%{{y:.2f}} ({each.unit} %{{x}}, n={number})",
    )


def _names(lines: Sequence[Line], zoom: list[float], x: float, height: int) -> go.Scatter:
    """Write the names at the ends of their lines, each behind its marker."""
    low, high = zoom
    ends = np.clip([each.mean.iloc[-1] for each in lines], low, high)
    return go.Scatter(
        x=[x] * len(lines),
        y=apart(ends, _LABEL_HEIGHT * (high - low) / height, low, high),
        text=[label(each.name) for each in lines],
        mode="markers+text",
        marker={
            "color": [each.style.colour for each in lines],
            "symbol": [PLOTLY_MARKERS[each.style.marker] for each in lines],
            "size": 7,
        },
        textposition="middle right",
        textfont={"size": 11},
        cliponaxis=False,
        hoverinfo="skip",
    )


def apart(values: Sequence[float] | np.ndarray, gap: float, low: float, high: float) -> list[float]:
    """Move values apart, in their order, until neighbours differ by ``gap``, within limits."""
    found = np.array(values, dtype=float)
    downwards = np.argsort(-found, kind="stable")
    ceiling, floor = high, low
    for place in downwards:
        found[place] = min(found[place], ceiling)
        ceiling = found[place] - gap
    for place in reversed(downwards):
        found[place] = max(found[place], floor)
        floor = found[place] + gap
    return [float(f"{value:.4g}") for value in found]
