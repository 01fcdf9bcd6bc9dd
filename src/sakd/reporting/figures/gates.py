"""The figure of gate rates over epochs."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from sakd.reporting.figures.lines import draw, line, points, with_cells
from sakd.reporting.figures.panels import blank, panels, place
from sakd.reporting.figures.styles import styles
from sakd.reporting.tables.frames import PAIR, distilled, pair_name, prepared
from sakd.reporting.tables.kinds import may_collapse
from sakd.routing.rates import EFFECTIVE_SHARE, GATE_RATE, TRANSFER_RATE

_HEIGHT = 280
_ZOOM = [-0.03, 1.03]
_MOST = 24
"""Panels of a figure; of more, distillers share them."""

_ALL = "mean of distillers"


def gate_rates(history: pd.DataFrame, results: pd.DataFrame) -> go.Figure:
    """Plot the fraction of samples that distil at each spot, per epoch, where a policy decides.

    Of weights it is the effective share; of distillers that learn where to transfer also the mean
    strength of each pair of stages. Mean over the finished seeds, with their standard deviation; a
    panel for each distiller (of each pair, under each policy), of many one for all distillers.

    Args:
        history: One line per (cell, epoch), with ``gate_rate/<spot>`` columns,
            ``effective_share/<spot>`` for weights, and ``transfer_rate/<stages>``.
        results: One line per cell.
    """
    merged = with_cells(history, distilled(prepared(results)))
    merged = _with_effective_shares(_decided(merged))
    spots = _spots(merged)
    if not spots:
        return blank("No gate rates: no finished cell of a policy that chooses has any.")
    merged = merged[merged[spots].notna().any(axis=1)]
    groups = _groups(merged)
    titles = _gate_titles([key for key, _ in groups])
    figure = panels(titles, panel_height=_HEIGHT)
    looks, most = styles(spots, spots), points(len(groups) * len(spots))
    for number, (_, group) in enumerate(groups):
        lines = [
            line(group, spot, name=spot.partition("/")[2], style=looks[spot], most=most)
            for spot in spots
            if group[spot].notna().any()
        ]
        draw(figure, lines, place(number), _ZOOM)
    figure.update_xaxes(title_text="epoch")
    return figure.update_yaxes(title_text="gate rate", zeroline=False)


def _groups(merged: pd.DataFrame) -> list[tuple[tuple[str, ...], pd.DataFrame]]:
    """Split into panels: one per distiller and policy, of many one per policy."""
    each = list(merged.groupby([*PAIR, "distiller", "policy"], sort=False))
    if len(each) <= _MOST:
        return each
    return list(merged.assign(distiller=_ALL).groupby([*PAIR, "distiller", "policy"], sort=False))


def _decided(history: pd.DataFrame) -> pd.DataFrame:
    """Leave the gate rates out that are given, and not decided."""
    gates = [name for name in history if name.startswith((GATE_RATE, EFFECTIVE_SHARE))]
    if not gates:
        return history
    settled = ~history["policy"].map(may_collapse).astype(bool)
    return history.assign(**{gate: history[gate].mask(settled) for gate in gates})


def _with_effective_shares(history: pd.DataFrame) -> pd.DataFrame:
    """Put effective shares in place of the mean weights, where there are any."""
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
