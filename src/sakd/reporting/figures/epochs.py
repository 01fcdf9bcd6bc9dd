"""The figures over epochs: learning curves and gate rates."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import plotly.graph_objects as go

from sakd.foundation.vocabulary import NONE
from sakd.reporting.figures.panels import GREY, blank, colours, label, panels, place
from sakd.reporting.tables.columns import TITLE, VAL
from sakd.reporting.tables.frames import (
    PAIR,
    distilled,
    pair_name,
    policies_in,
    prepared,
)
from sakd.reporting.tables.kinds import may_collapse
from sakd.reporting.tables.reference import STUDENT
from sakd.routing.rates import EFFECTIVE_SHARE, GATE_RATE, TRANSFER_RATE

_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")

_DIGITS = 4
"""Decimals of a point of a line; hovering shows two."""

_Traces = Iterator[tuple[int, go.Scatter]]


def learning_curves(history: pd.DataFrame, results: pd.DataFrame) -> go.Figure:
    """Plot validation accuracy per epoch: the mean over the finished seeds, a panel for each pair.

    Colours stand for distillers and dashes for policies; the student alone is grey.

    Args:
        history: One line per (cell, epoch).
        results: One line per cell.
    """
    cells = prepared(results)
    merged = _with_cells(history, cells)
    if merged.empty or VAL not in merged or merged[VAL].isna().all():
        return blank("No learning curves: no finished cell has a history.")
    pairs = list(merged.groupby(PAIR, sort=False))
    titles = [pair_name(pair) for pair, _ in pairs]
    figure = panels(titles, panel_height=380, legend="distiller, policy")
    _draw(figure, _learning_lines([group for _, group in pairs], cells))
    figure.update_xaxes(title_text="epoch")
    return figure.update_yaxes(title_text=f"validation {TITLE}")


def _learning_lines(groups: list[pd.DataFrame], cells: pd.DataFrame) -> _Traces:
    colour = {**colours(list(distilled(cells)["distiller"].unique())), NONE: GREY}
    names = policies_in(cells)
    dash = {name: _DASHES[k % len(_DASHES)] for k, name in enumerate(names)}
    for panel, of_pair in enumerate(groups):
        for (distiller, policy), group in of_pair.groupby(["distiller", "policy"], sort=False):
            name = STUDENT if distiller == NONE else f"{distiller}, {policy}"
            line = {"color": colour[distiller], "dash": dash.get(policy, "solid"), "width": 2}
            yield panel, _mean_line(group, VAL, name=name, line=line, scale=100)


def gate_rates(history: pd.DataFrame, results: pd.DataFrame) -> go.Figure:
    """Plot the fraction of samples that distil at each spot, per epoch, where a policy decides.

    Of weights it is the effective share; of distillers that learn where to transfer also the mean
    strength of each pair of stages. Mean over the finished seeds; a panel for each distiller (of
    each pair, under each policy).

    Args:
        history: One line per (cell, epoch), with ``gate_rate/<spot>`` columns,
            ``effective_share/<spot>`` for weights, and ``transfer_rate/<stages>``.
        results: One line per cell.
    """
    merged = _with_cells(history, distilled(prepared(results)))
    merged = _with_effective_shares(_decided(merged))
    spots = _spots(merged)
    if not spots:
        return blank("No gate rates: no finished cell of a policy that chooses has any.")
    merged = merged[merged[spots].notna().any(axis=1)]
    groups = list(merged.groupby([*PAIR, "distiller", "policy"], sort=False))
    titles = _gate_titles([key for key, _ in groups])
    figure = panels(titles, panel_height=260, legend="spot")
    _draw(figure, _gate_lines([group for _, group in groups], spots))
    figure.update_xaxes(title_text="epoch")
    return figure.update_yaxes(range=[-0.03, 1.03], title_text="gate rate", zeroline=False)


def _decided(history: pd.DataFrame) -> pd.DataFrame:
    """Leave the gate rates out that are given, and not decided."""
    gates = [name for name in history if name.startswith((GATE_RATE, EFFECTIVE_SHARE))]
    if not gates:
        return history
    settled = ~history["policy"].map(may_collapse).astype(bool)
    return history.assign(**{gate: history[gate].mask(settled) for gate in gates})


def _with_effective_shares(history: pd.DataFrame) -> pd.DataFrame:
    """Put effective shares in the place of the mean weights, where there are any."""
    weighed = [name for name in history if name.startswith(EFFECTIVE_SHARE)]
    gates = [name.replace(EFFECTIVE_SHARE, GATE_RATE) for name in weighed]
    shares = {
        gate: history[share].fillna(history[gate])
        for gate, share in zip(gates, weighed, strict=True)
    }
    return history.assign(**shares)


def _spots(history: pd.DataFrame) -> list[str]:
    """List the columns of rates with a value: gates in order of depth, then pairs of stages."""
    gates = [name for name in history if name.startswith((GATE_RATE, TRANSFER_RATE))]
    present = [name for name in gates if history[name].notna().any()]
    return sorted(present, key=lambda n: (n.startswith(TRANSFER_RATE), n == f"{GATE_RATE}logits"))


def _gate_titles(keys: list[tuple[str, ...]]) -> list[str]:
    """Name the distiller of each panel; its policy and pair too where these differ."""
    policies = {policy for *_, policy in keys}
    pairs = {pair_name(tuple(pair)) for *pair, _, _ in keys}
    titles = []
    for *pair, distiller, policy in keys:
        title = f"{distiller}, {policy}" if len(policies) > 1 else distiller
        titles.append(f"{title} | {pair_name(tuple(pair))}" if len(pairs) > 1 else title)
    return titles


def _gate_lines(groups: list[pd.DataFrame], spots: list[str]) -> _Traces:
    for panel, group in enumerate(groups):
        for rank, (spot, colour) in enumerate(colours(spots).items()):
            if group[spot].notna().any():
                name, line = spot.partition("/")[2], {"color": colour, "width": 2}
                trace = _mean_line(group, spot, name=name, line=line)
                yield panel, trace.update(legendrank=rank + 1)


def _with_cells(history: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Join the history of the finished cells with their keys, in the order of the results."""
    if history.empty:
        return pd.DataFrame(columns=PAIR)
    keys = cells.loc[cells["finished"], ["cell", *PAIR, "distiller", "policy", "seed"]]
    clashing = [name for name in keys.columns[1:] if name in history]
    return keys.merge(history.drop(columns=clashing), on="cell")


def _mean_line(
    group: pd.DataFrame, column: str, *, name: str, line: dict[str, object], scale: float = 1
) -> go.Scatter:
    """Average a history column over cells, per epoch; hovering shows the number of cells."""
    by_epoch = group.groupby("epoch")[column].agg(["mean", "count"])
    by_epoch = by_epoch[by_epoch["count"] > 0]
    counts = by_epoch["count"].tolist()
    alike = len(set(counts)) == 1  # then it is said once, which keeps the page small
    return go.Scatter(
        x=by_epoch.index.tolist(),
        y=(scale * by_epoch["mean"]).round(_DIGITS).tolist(),
        customdata=None if alike else counts,
        name=label(name),
        mode="lines" if len(by_epoch) > 1 else "markers",
        line=line,
        hovertemplate=f"%{{y:.2f}} (epoch %{{x}}, n={counts[0] if alike else '%{customdata}'})",
    )


def _draw(figure: go.Figure, traces: _Traces) -> None:
    """Add the traces to their panels, and each name once to the legend."""
    named: set[str] = set()
    for panel, trace in traces:
        trace.update(showlegend=trace.name not in named, legendgroup=trace.name)
        named.add(trace.name)
        figure.add_trace(trace, **place(panel))
