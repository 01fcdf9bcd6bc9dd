"""The figure of gains over plain distillation."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from sakd.reporting.figures.panels import blank, colours, label, panels, place
from sakd.reporting.tables.display import of_pair, pairs_in
from sakd.reporting.tables.frames import compared_policies, pair_name, prepared
from sakd.reporting.tables.kinds import REFERENCE
from sakd.reporting.tables.paired import POOLED, paired_differences, policy_comparison

_ROW_HEIGHT = 46
_SPREAD = 0.6


def gains(results: pd.DataFrame) -> go.Figure:
    """Plot paired differences in test accuracy with their 95 % intervals, in points.

    A panel for each pair, a row for each distiller and a colour for each policy. Small points are
    the single seeds; a distiller with one paired seed has no interval.
    """
    cells = prepared(results)
    policies = compared_policies(cells)
    pairs = [pair for pair in pairs_in(cells) if _has_differences(of_pair(cells, pair), policies)]
    if not pairs:
        return blank(f"No gain to show: no seed finished both {REFERENCE} and another policy.")
    rows = max(len(_row_names(of_pair(cells, pair), policies)) for pair in pairs)
    height = max(190, 70 + _ROW_HEIGHT * rows * max(1, (len(policies) + 1) // 2))
    titles = [pair_name(pair) for pair in pairs]
    figure = panels(titles, panel_height=height, legend="policy")
    for panel, pair in enumerate(pairs):
        _draw_panel(figure, of_pair(cells, pair), policies, place(panel))
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
    return any(len(paired_differences(cells, policy)) for policy in policies)


def _row_names(cells: pd.DataFrame, policies: list[str]) -> list[str]:
    tables = [policy_comparison(cells, policy) for policy in policies]
    names = dict.fromkeys(name for t in tables for name in t.loc[t["n"] > 0, "distiller"])
    single = [name for name in names if name != POOLED]
    return [*single, POOLED] if POOLED in names else single


def _draw_panel(
    figure: go.Figure, cells: pd.DataFrame, policies: list[str], where: dict[str, int]
) -> None:
    names = _row_names(cells, policies)
    for k, (policy, colour) in enumerate(colours(policies).items()):
        offset = _SPREAD * ((k + 0.5) / len(policies) - 0.5)
        height = {name: position + offset for position, name in enumerate(names)}
        for trace in (_seeds(cells, policy, height), _means(cells, policy, height)):
            trace.update(name=label(policy), legendgroup=policy, marker_color=colour)
            figure.add_trace(trace.update(showlegend=False), **where)
    figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=[label(name) for name in names],
        range=[len(names) - 0.5, -0.5],
        zeroline=False,
        **where,
    )


def _seeds(cells: pd.DataFrame, policy: str, height: dict[str, float]) -> go.Scatter:
    seeds = paired_differences(cells, policy)
    below = _SPREAD / 4 / len(compared_policies(cells))
    return go.Scatter(
        x=(100 * seeds["difference"]).tolist(),
        y=[height[name] + below for name in seeds["distiller"]],
        text=[f"seed {label(seed)}" for seed in seeds["seed"]],
        mode="markers",
        marker={"size": 6, "opacity": 0.55},
        hovertemplate="%{x:+.2f} points, %{text}",
    )


def _means(cells: pd.DataFrame, policy: str, height: dict[str, float]) -> go.Scatter:
    table = policy_comparison(cells, policy)
    table = table[(table["n"] > 0) & table["distiller"].isin(height)]
    half = (50 * (table["high"] - table["low"])).fillna(0)
    return go.Scatter(
        x=(100 * table["mean"]).tolist(),
        y=[height[name] for name in table["distiller"]],
        error_x={"type": "data", "array": half.tolist(), "thickness": 2, "width": 5},
        text=[f"n={n}" for n in table["n"]],
        mode="markers",
        marker={
            "size": 11,
            "symbol": ["diamond" if name == POOLED else "circle" for name in table["distiller"]],
        },
        hovertemplate="%{x:+.2f} points, %{text}",
    )
