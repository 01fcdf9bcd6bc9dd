"""Names next to the points of a figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from sakd.reporting.figures.panels import label
from sakd.reporting.figures.styles import GREY

LINE = 0.05
"""The height of a line of text, as a share of the height of a panel."""


class Named(NamedTuple):
    """A point and its name."""

    x: float
    y: float
    name: str


def names(points: Sequence[Named], height: float, size: float) -> go.Scatter:
    """Write every name to the right of its point, and names that would cover each other below it.

    Args:
        points: The points; those that lie above each other have the same ``x``.
        height: The range of y that a panel shows.
        size: The size of a point, in pixels.
    """
    labels = list(_labels(points, LINE * height))
    return go.Scatter(
        x=[each[0].x for each in labels],
        y=[(each[0].y + each[-1].y) / 2 for each in labels],
        text=["<br>".join(label(point.name) for point in each) for each in labels],
        textposition="middle right",
        mode="markers+text",  # the markers, which nobody sees, keep the text off the points
        marker={"size": size, "opacity": 0, "color": GREY},
        hoverinfo="skip",
    )


def _labels(points: Sequence[Named], line: float) -> Iterator[list[Named]]:
    """Give the points that share a label, from the highest to the lowest."""
    for x in dict.fromkeys(point.x for point in points):
        labels: list[list[Named]] = []
        column = [point for point in points if point.x == x]
        for point in sorted(column, key=lambda point: -point.y):
            labels.append([point])
            while len(labels) > 1 and _touch(labels[-2], labels[-1], line):
                lower = labels.pop()
                labels[-1] += lower
        yield from labels


def _touch(upper: Sequence[Named], lower: Sequence[Named], line: float) -> bool:
    """Tell whether two labels, each about the middle of its points, cover each other."""
    apart = (upper[0].y + upper[-1].y - lower[0].y - lower[-1].y) / 2
    return apart <= line * (len(upper) + len(lower)) / 2
