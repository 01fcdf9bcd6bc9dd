"""The figure of gains over plain distillation: a forest plot."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import plotly.graph_objects as go

from sakd.reporting.figures.panels import blank, label, panels, place
from sakd.reporting.figures.styles import GREY, PLOTLY_MARKERS, Style, method_styles
from sakd.reporting.tables.contrasts import Contrast, duels
from sakd.reporting.tables.display import pairs_in
from sakd.reporting.tables.formats import clipped
from sakd.reporting.tables.frames import compared_policies, pair_name
from sakd.reporting.tables.kinds import REFERENCE
from sakd.reporting.tables.outcomes import MARGIN, Outcomes
from sakd.reporting.tables.paired import CHOOSING, POOLED, comparison

_ROW_HEIGHT = 22
_MARK_HEIGHT = 36
_MOST_MARKED = 12
"""Rows up to which a row has a second line of what became of its routers."""

_LEFT, _LONGEST = 160, 30
"""Pixels, and characters, of the names of rows."""

_BELOW = 0.22
_LAST = {name: Style(GREY, "diamond", ()) for name in (POOLED, CHOOSING)}


def gains(
    results: pd.DataFrame,
    history: pd.DataFrame | None = None,
    predictions: pd.DataFrame | None = None,
    margin: float = MARGIN,
) -> go.Figure:
    """Plot paired differences in test accuracy with their 95 % intervals, see `gains_of`.

    Args:
        results: One line per cell.
        history: One line per (cell, epoch); without it no collapsed router is marked.
        predictions: One line per (cell, test image); without it intervals are of seeds alone.
        margin: The difference in accuracy that does not matter, as a fraction.
    """
    return gains_of(Outcomes.of(results, history, predictions, margin))


def gains_of(outcomes: Outcomes) -> go.Figure:
    """Plot paired differences in test accuracy with their 95 % intervals, in points.

    A panel for each policy of each pair, a row for each distiller. Small points are the single
    seeds; a distiller with one paired seed has no interval. Hollow points are policies whose
    routers stopped choosing. The differences that do not matter are shaded.
    """
    shown = dict(_forests(outcomes))
    if not shown:
        return blank(f"No gain to show: no seed finished both {REFERENCE} and another policy.")
    height = 110 + max(forest.height for forest in shown.values())
    figure = panels(list(shown), panel_height=height, left=_LEFT)
    for number, forest in enumerate(shown.values()):
        forest.draw(figure, place(number))
    margin = round(100 * outcomes.margin, 4)
    figure.add_vrect(-margin, margin, fillcolor=GREY, opacity=0.15, line_width=0, row="all")
    figure.update_xaxes(title_text="difference, points", zeroline=True, zerolinewidth=2)
    return figure.update_xaxes(matches="x")


def _forests(outcomes: Outcomes) -> Iterator[tuple[str, _Forest]]:
    """Yield the forest of every policy of every pair by its title, if it has a row."""
    pairs = pairs_in(outcomes.cells)
    for pair in pairs:
        part = outcomes.of_pair(pair)
        for policy in compared_policies(part.cells):
            forest = _Forest(part, Contrast(policy, REFERENCE))
            title = f"{policy} - {REFERENCE}"
            if forest.names:
                yield f"{title} | {pair_name(pair)}" if len(pairs) > 1 else title, forest


class _Forest:
    """The differences between two policies, for one pair."""

    def __init__(self, outcomes: Outcomes, contrast: Contrast) -> None:
        self.seeds = duels(outcomes.cells, contrast)
        table = comparison(outcomes, contrast)
        self.table = table[table["n"] > 0].reset_index(drop=True)
        self.names = self.table["distiller"].tolist()
        self.styles = method_styles(self.names) | _LAST
        marked = len(self.names) <= _MOST_MARKED and self.table["router"].any()
        self.marks = self.table["router"].tolist() if marked else [""] * len(self.names)

    @property
    def height(self) -> int:
        """Pixels of all rows."""
        return len(self.names) * (_MARK_HEIGHT if any(self.marks) else _ROW_HEIGHT)

    def draw(self, figure: go.Figure, where: dict[str, int]) -> None:
        """Draw rows and points into the panel at ``where``."""
        figure.add_trace(self._seeds(), **where)
        figure.add_trace(self._means(), **where)
        figure.update_yaxes(
            tickvals=list(range(len(self.names))),
            ticktext=[
                f"{label(name)}<br><sup>{label(clipped(mark, _LONGEST))}</sup>"
                if mark
                else label(name)
                for name, mark in zip(self.names, self.marks, strict=True)
            ],
            range=[len(self.names) - 0.5, -0.5],
            zeroline=False,
            **where,
        )

    def _seeds(self) -> go.Scatter:
        rows = {name: row for row, name in enumerate(self.names)}
        return go.Scatter(
            x=(100 * self.seeds["difference"]).round(2).tolist(),
            y=[rows[name] + _BELOW for name in self.seeds["distiller"]],
            text=[f"seed {label(seed)}" for seed in self.seeds["seed"]],
            mode="markers",
            marker={"size": 5, "opacity": 0.7, "color": GREY},
            hovertemplate="%{x:+.2f} points, %{text}",
        )

    def _means(self) -> go.Scatter:
        table = self.table
        half = (50 * (table["high"] - table["low"])).fillna(0).round(2)
        looks = [self.styles[name] for name in self.names]
        return go.Scatter(
            x=(100 * table["mean"]).round(2).tolist(),
            y=list(range(len(table))),
            error_x={
                **{"type": "data", "array": half.tolist()},
                **{"thickness": 2, "width": 4, "color": GREY},
            },
            text=[
                ", ".join(filter(None, (f"n={n}", label(router))))
                for n, router in zip(table["n"], table["router"], strict=True)
            ],
            mode="markers",
            marker={
                "size": 10,
                "color": [look.colour for look in looks],
                "symbol": [
                    f"{PLOTLY_MARKERS[look.marker]}{'-open' if router.startswith('=') else ''}"
                    for look, router in zip(looks, table["router"], strict=True)
                ],
            },
            hovertemplate="%{x:+.2f} points, %{text}",
        )
