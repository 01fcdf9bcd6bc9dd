"""Figures of plotly as pictures, drawn by matplotlib."""

from __future__ import annotations

from io import BytesIO
from math import isclose

import plotly.graph_objects as go
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullLocator, StrMethodFormatter

from sakd.reporting.files.marks import draw_shape, draw_trace, plain

WIDTH = 800
"""Of a picture, in pixels; its height is that of the figure."""

_DOTS = 72  # per inch: a point of matplotlib is then a pixel of plotly
_DECADE = 10
_LOOK = {
    "font.family": ["sans-serif"],
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "grid.color": "#dfe3ea",
    "lines.scale_dashes": False,
    "svg.fonttype": "none",  # text stays text, which is small and can be searched
    "svg.hashsalt": "sakd",  # in place of a random one
    "text.parse_math": False,  # names from data may have dollar signs
}

Panels = dict[str, Axes]
"""The panels of a figure, by what plotly appends to the names of their axes: nothing, 2, ..."""


def picture(figure: go.Figure) -> bytes:
    """Draw a figure as SVG: the same bytes whenever the figure is the same."""
    with style.context(["default", _LOOK]):
        size = WIDTH / _DOTS, (figure.layout.height or WIDTH / 2) / _DOTS
        drawn = Figure(size, dpi=_DOTS, layout="constrained")
        axes = _panels(figure, drawn)
        for shape in figure.layout.shapes:
            draw_shape(axes[shape.xref.split()[0][1:]], shape)
        for trace in figure.data:
            draw_trace(axes[(trace.xaxis or "x")[1:]], trace)
        for end, panel in axes.items():
            _dress(panel, figure.layout[f"xaxis{end}"], figure.layout[f"yaxis{end}"])
        _write(figure, drawn, axes)
        file = BytesIO()
        drawn.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue()


def _panels(figure: go.Figure, drawn: Figure) -> Panels:
    """Make a panel for each pair of axes with data, where plotly has it."""
    ends = list(dict.fromkeys((trace.xaxis or "x")[1:] for trace in figure.data))
    if not ends:
        return {}
    places = {end: [figure.layout[f"{side}axis{end}"].domain for side in "yx"] for end in ends}
    tops, lefts = (sorted({place[k] for place in places.values()}) for k in (0, 1))
    grid = drawn.add_gridspec(len(tops), len(lefts))
    made: Panels = {}
    for end, (top, left) in places.items():
        alike = figure.layout[f"xaxis{end}"].matches
        shared = made.get(alike[1:]) if alike else None
        cell = grid[len(tops) - 1 - tops.index(top), lefts.index(left)]
        made[end] = drawn.add_subplot(cell, sharex=shared)
    return made


def _dress(panel: Axes, x: go.layout.XAxis, y: go.layout.YAxis) -> None:
    """Give the axes of a panel the titles, scales, ranges and ticks that they have in plotly."""
    for side, axis, given in (("x", panel.xaxis, x), ("y", panel.yaxis, y)):
        logarithmic = given.type == "log"
        if logarithmic:
            panel.set(**{f"{side}scale": "log"})
        if given.range:
            limits = [10**end for end in given.range] if logarithmic else given.range
            panel.set(**{f"{side}lim": limits})
        if logarithmic:
            _thousands(axis, *axis.get_view_interval())
        axis.set_label_text(plain(given.title.text or ""))
        if given.tickvals is not None:
            texts = map(plain, given.ticktext or map(str, given.tickvals))
            axis.set_ticks(list(given.tickvals), list(texts))
    if x.zeroline:
        panel.axvline(0, color="black", linewidth=1, zorder=0.9)


def _thousands(axis: Axis, low: float, high: float) -> None:
    """Write the ticks of a logarithmic axis as 20k, 1M or 0.5, also of a range below a decade."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)) if high > _DECADE * low else MaxNLocator(4))
    axis.set_major_formatter(EngFormatter(sep="") if low >= 1 else StrMethodFormatter("{x:g}"))
    axis.set_minor_locator(NullLocator())


def _write(figure: go.Figure, drawn: Figure, axes: Panels) -> None:
    """Write the titles of panels, and what an empty figure says."""
    for note in figure.layout.annotations:
        title = plain(note.text)
        for end, panel in axes.items():
            left, right = figure.layout[f"xaxis{end}"].domain
            top = figure.layout[f"yaxis{end}"].domain[1]
            if isclose(note.x, (left + right) / 2) and isclose(note.y, top):
                panel.set_title(title)
                break
        else:
            drawn.text(note.x, note.y, title, ha="center", va="center", fontsize=13)
