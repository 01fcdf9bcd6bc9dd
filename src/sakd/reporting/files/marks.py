"""The marks of a plotly figure, drawn by matplotlib: lines, bands, points, intervals, words."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from sakd.foundation.errors import require
from sakd.reporting.figures.styles import MATPLOTLIB_MARKERS, PLOTLY_MARKERS

_MARKERS = {shown: MATPLOTLIB_MARKERS[name] for name, shown in PLOTLY_MARKERS.items()}
_HOLLOW = "-open"
_BREAK = re.compile(r"<br\s*/?>")
_TAG = re.compile(r"<[^>]*>")
_NUMBER = re.compile(r"[\d.]+")
_SOLID = (None, "solid")

Colour = tuple[float, float, float, float]


def plain(text: str) -> str:
    """Turn the HTML of a label into text, with its line breaks."""
    return html.unescape(_TAG.sub("", _BREAK.sub("\n", text)))


def draw_shape(panel: Axes, shape: go.layout.Shape) -> None:
    """Shade a range of x over the whole height of a panel."""
    require(shape.type == "rect", f"no picture of a {shape.type}: shade a range of x")
    colour = _colour(shape.fillcolor)
    panel.axvspan(shape.x0, shape.x1, color=colour, alpha=shape.opacity, linewidth=0)


def draw_trace(panel: Axes, trace: go.Scatter) -> None:
    """Draw a trace with all of its marks."""
    require(isinstance(trace, go.Scatter), f"no picture of a {type(trace).__name__}: draw points")
    if trace.fill:
        panel.fill(trace.x, trace.y, facecolor=_colour(trace.fillcolor), linewidth=0)
        return
    modes = trace.mode.split("+")
    _intervals(panel, trace)
    if "lines" in modes:
        colour, width = _colour(trace.line.color), trace.line.width
        panel.plot(trace.x, trace.y, color=colour, linewidth=width, linestyle=_dash(trace.line))
    if "markers" in modes:
        _markers(panel, trace)
    if "text" in modes:
        _words(panel, trace)


def _intervals(panel: Axes, trace: go.Scatter) -> None:
    """Draw the intervals of the points, across and upright, where there are any."""
    for way, given in {"xerr": trace.error_x, "yerr": trace.error_y}.items():
        if given.array is None:
            continue
        look: dict[str, Any] = {
            way: [math.nan if length is None else length for length in given.array],
            "ecolor": _colour(given.color or trace.marker.color),
            "elinewidth": given.thickness,
            "capsize": given.width,
        }
        panel.errorbar(trace.x, trace.y, fmt="none", **look)


def _markers(panel: Axes, trace: go.Scatter) -> None:
    """Draw the points of each look at once."""
    number, marker = len(trace.x), trace.marker
    looks = list(
        zip(
            _each(marker.symbol or "circle", number),
            _each(marker.color or trace.line.color, number),
            strict=True,
        )
    )
    most = marker.maxdisplayed or number
    for symbol, given in dict.fromkeys(looks):
        places = [k for k, look in enumerate(looks) if look == (symbol, given)]
        colour = _colour(given, marker.opacity)
        panel.plot(
            [trace.x[k] for k in places],
            [trace.y[k] for k in places],
            linestyle="none",
            marker=_MARKERS[symbol.removesuffix(_HOLLOW)],
            markersize=marker.size,
            markerfacecolor="white" if symbol.endswith(_HOLLOW) else colour,
            markeredgecolor=colour,
            markevery=max(1, math.ceil(len(places) / max(most, 1))),
            clip_on=trace.cliponaxis is not False,
        )


def _words(panel: Axes, trace: go.Scatter) -> None:
    """Write the text of every point to its right."""
    for x, y, text in zip(trace.x, trace.y, trace.text, strict=True):
        panel.annotate(
            plain(text),
            (x, y),
            (trace.marker.size, 0),
            textcoords="offset points",
            verticalalignment="center",
            fontsize=trace.textfont.size,
            annotation_clip=False,
        ).set_in_layout(False)


def _each(given: str | Sequence[str], number: int) -> list[str]:
    return [given] * number if isinstance(given, str) else list(given)


def _colour(given: str, opacity: float | None = None) -> Colour:
    """Read a colour of CSS: hexadecimal, by name, or ``rgba(0,114,178,0.15)``."""
    if given.startswith("rgb"):
        red, green, blue, *alpha = map(float, _NUMBER.findall(given))
        return to_rgba((red / 255, green / 255, blue / 255), *alpha)
    return to_rgba(given, opacity)


def _dash(line: go.scatter.Line) -> str | tuple[int, tuple[float, ...]]:
    """Read a dash: lengths of lines and gaps, in pixels."""
    if line.dash in _SOLID:
        return "-"
    return 0, tuple(map(float, _NUMBER.findall(line.dash)))
