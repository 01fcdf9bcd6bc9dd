"""The picture of accuracy against cost, over all cells and pairs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from sakd.foundation.vocabulary import NONE
from sakd.reporting.figures.naming import Named, names
from sakd.reporting.figures.panels import blank, label, panels, place
from sakd.reporting.figures.styles import GREY, PLOTLY_MARKERS, Style, method_styles
from sakd.reporting.tables.candidates import LATENCY, MACS, PARAMETERS, Candidate, candidates
from sakd.reporting.tables.choice import front
from sakd.reporting.tables.columns import TITLE
from sakd.reporting.tables.kinds import REFERENCE
from sakd.reporting.tables.reference import STUDENT

SHOWN: Mapping[str, str] = {
    PARAMETERS: "parameters",
    MACS: "MACs for an image",
    LATENCY: "ms for an image (p50)",
}
"""The costs with a panel each, and the titles of their axes."""

MOST_NAMED = 12
"""Up to so many methods all are named in the picture; of more, those of the front."""

_SIZE = 10
"""Of a point, in pixels."""


def pareto(cells: pd.DataFrame) -> go.Figure:
    """Plot test accuracy against each cost: a point for every method, its front joined and named.

    Colour and marker are the distiller's; hollow points have another policy than plain
    distillation. The front is chosen on validation, see `sakd.reporting.tables.choice.front`.

    Args:
        cells: The results, see `sakd.reporting.tables.frames.prepared`.
    """
    found = candidates(cells)
    measured = {cost: [one for one in found if not math.isnan(one.costs[cost])] for cost in SHOWN}
    known = {cost: shown for cost, shown in measured.items() if shown}
    if not known:
        return blank("No costs to show: no finished cell was measured.")
    figure = panels([f"accuracy against {SHOWN[cost]}" for cost in known], panel_height=400)
    figure.update_layout(showlegend=True, legend={"orientation": "h", "yanchor": "top", "y": -0.15})
    looks = method_styles(one.distiller for one in found)
    for number, (cost, shown) in enumerate(known.items()):
        many = len(shown) > MOST_NAMED
        best = _front(front(shown, cost), cost, named=many)
        written = [] if many else [_names(shown, cost)]
        for trace in (best, *_points(shown, cost, looks), *written):
            named = number == 0 and bool(trace.name)
            figure.add_trace(trace.update(showlegend=named), **place(number))
        reach = _reach([one.costs[cost] for one in shown])
        figure.update_xaxes(type="log", range=reach, title_text=SHOWN[cost], **place(number))
    return figure.update_yaxes(title_text=f"test {TITLE}")


def _reach(costs: Sequence[float]) -> tuple[float, float]:
    """Give the range of a logarithmic axis, with room for names at both ends."""
    low, high = math.log10(min(costs)), math.log10(max(costs))
    room = 0.1 + 0.3 * (high - low)
    return low - room, high + room


def _points(
    shown: Sequence[Candidate], cost: str, looks: Mapping[str, Style]
) -> Iterator[go.Scatter]:
    """Draw the methods of each distiller, with the standard deviation of their seeds."""
    for distiller, look in looks.items():
        plain, marker = {REFERENCE, NONE}, PLOTLY_MARKERS[look.marker]
        own = [one for one in shown if one.distiller == distiller]
        own.sort(key=lambda one: one.policy not in plain)  # the legend has the marker of the first
        yield go.Scatter(
            x=[_shown(one.costs[cost]) for one in own],
            y=[round(100 * one.test.mean, 2) for one in own],
            error_y={
                "type": "data",
                "array": [
                    None if math.isnan(one.test.sd) else round(100 * one.test.sd, 2) for one in own
                ],
                "thickness": 1,
                "width": 0,
            },
            text=[label(short(one)) for one in own],
            hovertext=[label(f"{one.name} (n={one.test.n})") for one in own],
            mode="markers",
            name=label(STUDENT if distiller == NONE else distiller),
            legendgroup=distiller,
            marker={
                "size": _SIZE,
                "color": look.colour,
                "symbol": [marker if one.policy in plain else f"{marker}-open" for one in own],
            },
            hovertemplate="%{hovertext}<br>%{x:,.4~g}: %{y:.2f} %<extra></extra>",
        )


def _shown(cost: float) -> float:
    return float(f"{cost:.5g}")


def _names(shown: Sequence[Candidate], cost: str) -> go.Scatter:
    """Name every method next to its point."""
    spreads = [(one.test.mean, 0.0 if math.isnan(one.test.sd) else one.test.sd) for one in shown]
    height = max(mean + sd for mean, sd in spreads) - min(mean - sd for mean, sd in spreads)
    points = [Named(_shown(one.costs[cost]), 100 * one.test.mean, short(one)) for one in shown]
    return names(points, 100 * height, _SIZE)


def _front(best: Sequence[Candidate], cost: str, *, named: bool) -> go.Scatter:
    """Join the methods of the front, and name them if they are to be ``named``."""
    return go.Scatter(
        x=[one.costs[cost] for one in best],
        y=[100 * one.test.mean for one in best],
        text=[label(short(one)) for one in best],
        textposition="top center",
        cliponaxis=False,
        mode="lines+markers+text" if named else "lines+markers",
        name="front (by val)",
        line={"color": GREY, "dash": "dot", "width": 1.5},
        marker={"size": 18, "symbol": "circle-open", "color": GREY},
        hoverinfo="skip",
    )


def short(one: Candidate) -> str:
    """Name a method in few letters: the student, the distiller, the policy."""
    return one.student if one.distiller == NONE else f"{one.student}: {one.distiller}/{one.policy}"
