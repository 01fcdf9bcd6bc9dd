"""Parts of all figures: panels, labels, and a figure with nothing to plot."""

from __future__ import annotations

import html
import math

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from sakd.foundation.text import printable

_COLUMNS = 2
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"


def label(text: object) -> str:
    """Escape text from data: plotly reads tags in labels."""
    return html.escape(printable(text), quote=False)


def blank(text: str) -> go.Figure:
    """Make an empty figure that says why it is empty."""
    figure = go.Figure()
    figure.add_annotation(text=label(text), showarrow=False, font_size=15, x=0.5, y=0.5)
    figure.update_annotations(xref="paper", yref="paper")
    figure.update_layout(height=200, xaxis_visible=False, yaxis_visible=False, **_look())
    return figure


def panels(titles: list[str], *, panel_height: int, left: int = 92) -> go.Figure:
    """Make an empty figure of one panel per title, two side by side.

    The page arranges them by its width; it reads their number and size in ``layout.meta``.

    Args:
        titles: Panel titles, from data.
        panel_height: Pixels of one row of panels.
        left: Pixels to the left of a panel, for the names of its rows.
    """
    columns = min(_COLUMNS, len(titles))
    rows = math.ceil(len(titles) / columns)
    height = rows * panel_height + 100
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=[label(title) for title in titles],
        vertical_spacing=min(0.95 / max(rows - 1, 1), 100 / height),
        horizontal_spacing=0.12,
    )
    figure.update_annotations(font_size=14)
    figure.update_xaxes(title_font_size=13, title_standoff=8)
    figure.update_yaxes(title_font_size=13, title_standoff=8)
    meta = {"panel_height": panel_height, "panels": len(titles), "left": left}
    return figure.update_layout(height=height, showlegend=False, meta=meta, **_look())


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
