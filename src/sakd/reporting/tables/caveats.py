"""Warnings to read before the numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pandas as pd

from sakd.data import DataCard
from sakd.foundation.names import listed
from sakd.reporting.tables import formats
from sakd.reporting.tables.doubts import data_caveats, teacher_caveats
from sakd.reporting.tables.frames import PAIR, compared_policies, distilled, pair_name, prepared
from sakd.reporting.tables.kinds import REFERENCE, may_collapse
from sakd.reporting.tables.paired import POOLED, policy_comparison
from sakd.reporting.tables.spread import Spread
from sakd.routing.collapse import collapse, transfer_collapse
from sakd.routing.rates import (
    EFFECTIVE_SHARE,
    GATE_RATE,
    LABEL_RATE,
    TRANSFER_RATE,
    TRANSFER_SHARE,
)

ENOUGH_SEEDS = 3
"""Paired seeds from which on a difference and its interval need no caveat."""


def caveats(
    results: pd.DataFrame, history: pd.DataFrame, data: DataCard | None = None
) -> list[str]:
    """List every warning about the run, one sentence or two each.

    Args:
        results: One line per cell.
        history: One line per (cell, epoch).
        data: The card of the data that the results are of; without it, nothing is said of it.
    """
    return [
        *result_caveats(results, data),
        *collapsed_policies(results, history),
        *collapsed_transfers(results, history),
    ]


def result_caveats(results: pd.DataFrame, data: DataCard | None = None) -> list[str]:
    """List the warnings that need no history."""
    cells = prepared(results)
    compared = compared_policies(cells)
    found = [*_unfinished(cells), *data_caveats(data), *teacher_caveats(cells, data)]
    if not compared:
        found.append(f"No policy to compare with {REFERENCE}: the results hold no routed cells.")
    return found + _too_few_seeds(cells, compared)


def _unfinished(cells: pd.DataFrame) -> Iterator[str]:
    unfinished = int((~cells["finished"]).sum())
    if unfinished:
        number = f"{unfinished} of {formats.plural(len(cells), 'cell')}"
        yield f"No result from {number}; left out of every mean and difference."


def _too_few_seeds(cells: pd.DataFrame, compared: list[str]) -> list[str]:
    """Name all differences with too few seeds in one sentence."""
    several = len(cells.drop_duplicates(PAIR)) > 1
    few, total = [], 0
    for policy in compared:
        table = policy_comparison(cells, policy)
        for line in table[table["distiller"] != POOLED].to_dict("records"):
            total += 1
            if line["n"] < ENOUGH_SEEDS:
                where = f" of {pair_name(tuple(line[name] for name in PAIR))}" if several else ""
                few.append(f"{line['distiller']} {policy}{where}: n={line['n']}")
    if not few:
        return []
    if len(few) == total > 1:
        where = "every difference"
    else:
        where = f"{len(few)} of {formats.plural(total, 'difference')} ({listed(few)})"
    noise = "too few to tell an effect from seed noise"
    return [f"Fewer than {ENOUGH_SEEDS} paired seeds in {where}: {noise}."]


def collapsed_policies(results: pd.DataFrame, history: pd.DataFrame) -> list[str]:
    """Name the cells whose policy stopped choosing, by its last rates; see `collapse`."""
    cells = distilled(prepared(results))
    routed = cells[cells["finished"] & cells["policy"].map(may_collapse).astype(bool)]
    prefixes = GATE_RATE, EFFECTIVE_SHARE, LABEL_RATE
    states = _last_states(routed, history, prefixes, collapse)
    return _collapsed("Policy", states)


def collapsed_transfers(results: pd.DataFrame, history: pd.DataFrame) -> list[str]:
    """Name the cells whose learnt strengths of transfer choose nothing in the last epoch."""
    cells = distilled(prepared(results))
    prefixes = TRANSFER_RATE, TRANSFER_SHARE
    states = _last_states(cells[cells["finished"]], history, prefixes, transfer_collapse)
    return _collapsed("Transfer", states)


def _last_states(
    cells: pd.DataFrame,
    history: pd.DataFrame,
    prefixes: tuple[str, ...],
    judge: Callable[[Mapping[str, float]], str],
) -> dict[str, list[str]]:
    """Group ``cells`` by the state that ``judge`` names for the rates of their last epoch."""
    rates = [name for name in history.columns if name.startswith(prefixes)]
    found: dict[str, list[str]] = {}
    if not rates:
        return found
    rated = history.dropna(subset=rates, how="all").sort_values("epoch")
    last = rated.groupby("cell").tail(1).set_index("cell")[rates]
    for cell in cells["cell"]:
        if cell in last.index:
            kind = judge(last.loc[cell].dropna().to_dict())
            found.setdefault(kind, []).append(str(cell))
    return found


def _collapsed(what: str, states: Mapping[str, list[str]]) -> list[str]:
    return [
        f"{what} collapsed to {kind} in {formats.plural(len(names), 'cell')}: {listed(names)}."
        for kind, names in states.items()
        if kind
    ]


def verdict(spread: Spread, seeds: int) -> str:
    """Say how a paired difference over ``seeds`` different seeds may be read."""
    low, high = spread.interval
    if seeds < ENOUGH_SEEDS:
        return "too few seeds to tell from noise"
    if low > 0:
        return "the interval is above zero"
    return "the interval is below zero" if high < 0 else "the interval includes zero"
