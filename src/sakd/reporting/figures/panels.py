"""Parts of all figures: colours, panels, and a figure with nothing to plot."""

from __future__ import annotations

import html
import math

import plotly.graph_objects as go
from plotly.subplots import make_subplots

PALETTE = (
    *("#3a86d8", "#e08a00", "#12a178", "#d6553f", "#a374db", "#d9679f"),
    *("#4fb3d9", "#a08a2c", "#7c8aa0", "#8f5d3b", "#5c6fe0", "#6aa84f"),
)
"""Colours that are clear on light and on dark ground."""

GREY = "#8a8f98"
"""The colour of the student alone and of the pooled line."""

_COLUMNS = 2
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"


def colours(names: list[str]) -> dict[str, str]:
    """Give each name a colour, repeating after twelve."""
    return {name: PALETTE[k % len(PALETTE)] for k, name in enumerate(names)}


def label(text: object) -> str:
    """Escape text from data: plotly reads tags in labels."""
    return html.escape(str(text), quote=False)


def blank(text: str) -> go.Figure:
    """Make an empty figure that says why it is empty."""
    figure = go.Figure()
    figure.add_annotation(text=label(text), showarrow=False, font_size=15, x=0.5, y=0.5)
    figure.update_annotations(xref="paper", yref="paper")
    figure.update_layout(height=200, xaxis_visible=False, yaxis_visible=False, **_look())
    return figure


def panels(titles: list[str], *, panel_height: int, legend: str) -> go.Figure:
    """Make an empty figure of one panel per title, two side by side.

    Args:
        titles: Panel titles, from data.
        panel_height: Pixels of one row of panels.
        legend: Title of the legend.
    """
    columns = min(_COLUMNS, len(titles))
    rows = math.ceil(len(titles) / columns)
    height = rows * panel_height + 100
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=[label(title) for title in titles],
        vertical_spacing=min(0.95 / max(rows - 1, 1), 100 / height),
        horizontal_spacing=0.09,
    )
    figure.update_annotations(font_size=14)
    figure.update_xaxes(title_font_size=13, title_standoff=8)
    figure.update_yaxes(title_font_size=13, title_standoff=8)
    figure.update_layout(height=height, legend_title={"text": legend, "font_size": 13}, **_look())
    return figure


def place(panel: int) -> dict[str, int]:
    """Give the row and column of a panel, by its number from zero, for plotly's ``add_trace``."""
    return {"row": panel // _COLUMNS + 1, "col": panel % _COLUMNS + 1}


def _look() -> dict[str, object]:
    return {
        "template": "plotly_white",
        "font": {"family": _FONT, "size": 13},
        "margin": {"l": 60, "r": 20, "t": 50, "b": 50},
        "hoverlabel": {"font_family": _FONT},
    }
