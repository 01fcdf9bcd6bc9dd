"""The figure of gains over plain distillation."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from sakd.reporting.figures.panels import blank, colours, label, panels, place
from sakd.reporting.tables.contrasts import Contrast, duels
from sakd.reporting.tables.display import pairs_in
from sakd.reporting.tables.frames import compared_policies, pair_name
from sakd.reporting.tables.kinds import REFERENCE
from sakd.reporting.tables.outcomes import Outcomes
from sakd.reporting.tables.paired import CHOOSING, POOLED, comparison

_ROW_HEIGHT = 46
_SPREAD = 0.6
_LAST = [POOLED, CHOOSING]


def gains(
    results: pd.DataFrame,
    history: pd.DataFrame | None = None,
    predictions: pd.DataFrame | None = None,
) -> go.Figure:
    """Plot paired differences in test accuracy with their 95 % intervals, see `gains_of`.

    Args:
        results: One line per cell.
        history: One line per (cell, epoch); without it no collapsed router is marked.
        predictions: One line per (cell, test image); without it intervals are of seeds alone.
    """
    return gains_of(Outcomes.of(results, history, predictions))


def gains_of(outcomes: Outcomes) -> go.Figure:
    """Plot paired differences in test accuracy with their 95 % intervals, in points.

    A panel for each pair, a row for each distiller and a colour for each policy. Small points are
    the single seeds; a distiller with one paired seed has no interval. Hollow points are policies
    whose routers stopped choosing.
    """
    cells = outcomes.cells
    policies = compared_policies(cells)
    pairs = [
        pair for pair in pairs_in(cells) if _has_differences(outcomes.of_pair(pair).cells, policies)
    ]
    if not pairs:
        return blank(f"No gain to show: no seed finished both {REFERENCE} and another policy.")
    each = [_Panel(outcomes.of_pair(pair), policies) for pair in pairs]
    rows = max(len(panel.names) for panel in each)
    height = max(190, 70 + _ROW_HEIGHT * rows * max(1, (len(policies) + 1) // 2))
    titles = [pair_name(pair) for pair in pairs]
    figure = panels(titles, panel_height=height, legend="policy")
    for number, panel in enumerate(each):
        panel.draw(figure, place(number))
    if len(policies) > 1:
        _name_each_policy_once(figure)
    figure.update_xaxes(title_text=f"difference to {REFERENCE}, points")
    return figure.update_xaxes(zeroline=True, zerolinewidth=2)


def _name_each_policy_once(figure: go.Figure) -> None:
    named: set[str] = set()
    for trace in figure.data:
        is_mean = trace.error_x.array is not None
        if is_mean and len(trace.x) and trace.name not in named:
            trace.showlegend = True
            named.add(trace.name)


def _has_differences(cells: pd.DataFrame, policies: list[str]) -> bool:
    return any(len(duels(cells, Contrast(policy, REFERENCE))) for policy in policies)


class _Panel:
    """The differences of one pair."""

    def __init__(self, outcomes: Outcomes, policies: list[str]) -> None:
        self.cells = outcomes.cells
        self.tables = {
            policy: comparison(outcomes, Contrast(policy, REFERENCE)) for policy in policies
        }
        found = [t.loc[t["n"] > 0, "distiller"] for t in self.tables.values()]
        names = dict.fromkeys(name for each in found for name in each)
        self.names = sorted(names, key=lambda name: _LAST.index(name) if name in _LAST else -1)

    def draw(self, figure: go.Figure, where: dict[str, int]) -> None:
        """Draw rows and points into the panel at ``where``."""
        for k, (policy, colour) in enumerate(colours(list(self.tables)).items()):
            offset = _SPREAD * ((k + 0.5) / len(self.tables) - 0.5)
            height = {name: position + offset for position, name in enumerate(self.names)}
            for trace in (self._seeds(policy, height), self._means(policy, height)):
                trace.update(name=label(policy), legendgroup=policy, marker_color=colour)
                figure.add_trace(trace.update(showlegend=False), **where)
        figure.update_yaxes(
            tickvals=list(range(len(self.names))),
            ticktext=[self._tick(name) for name in self.names],
            range=[len(self.names) - 0.5, -0.5],
            zeroline=False,
            **where,
        )

    def _tick(self, name: str) -> str:
        """Name a row, with what became of its routers where there is one policy."""
        if len(self.tables) > 1:
            return label(name)
        (table,) = self.tables.values()
        mark = table.set_index("distiller")["router"].get(name, "")
        return f"{label(name)}<br><sup>{label(mark)}</sup>" if mark else label(name)

    def _seeds(self, policy: str, height: dict[str, float]) -> go.Scatter:
        seeds = duels(self.cells, Contrast(policy, REFERENCE))
        below = _SPREAD / 4 / len(self.tables)
        return go.Scatter(
            x=(100 * seeds["difference"]).tolist(),
            y=[height[name] + below for name in seeds["distiller"]],
            text=[f"seed {label(seed)}" for seed in seeds["seed"]],
            mode="markers",
            marker={"size": 6, "opacity": 0.55},
            hovertemplate="%{x:+.2f} points, %{text}",
        )

    def _means(self, policy: str, height: dict[str, float]) -> go.Scatter:
        table = self.tables[policy]
        table = table[(table["n"] > 0) & table["distiller"].isin(height)]
        half = (50 * (table["high"] - table["low"])).fillna(0)
        lines = table.to_dict("records")
        return go.Scatter(
            x=(100 * table["mean"]).tolist(),
            y=[height[name] for name in table["distiller"]],
            error_x={"type": "data", "array": half.tolist(), "thickness": 2, "width": 5},
            text=[", ".join(filter(None, (f"n={x['n']}", label(x["router"])))) for x in lines],
            mode="markers",
            marker={"size": 11, "symbol": [_symbol(line) for line in lines]},
            hovertemplate="%{x:+.2f} points, %{text}",
        )


def _symbol(line: dict[str, Any]) -> str:
    form = "diamond" if line["distiller"] in _LAST else "circle"
    return f"{form}-open" if line["router"].startswith("=") else form
