"""Warnings to read before the numbers."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from sakd.data import DataCard
from sakd.foundation.names import listed
from sakd.reporting.tables import formats
from sakd.reporting.tables.doubts import data_caveats, teacher_caveats
from sakd.reporting.tables.frames import PAIR, compared_policies, distilled, pair_name, prepared
from sakd.reporting.tables.kinds import REFERENCE, has_router
from sakd.reporting.tables.paired import POOLED, policy_comparison
from sakd.reporting.tables.spread import Spread
from sakd.routing.collapse import GATE_RATE, collapse

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
    return [*result_caveats(results, data), *collapsed_routers(results, history)]


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


def collapsed_routers(results: pd.DataFrame, history: pd.DataFrame) -> list[str]:
    """Name the cells of trained policies whose router stopped choosing.

    In the last epoch of such a cell more than 99 % of the samples distil at every spot ("always"),
    or fewer than 1 % ("never"), or each spot is one or the other ("one fixed route").
    """
    cells = distilled(prepared(results))
    routed = cells[cells["finished"] & cells["policy"].map(has_router).astype(bool)]
    gates = [name for name in history.columns if name.startswith(GATE_RATE)]
    if not gates:
        return []
    last = history.sort_values("epoch").groupby("cell").tail(1).set_index("cell")[gates]
    found: dict[str, list[str]] = {}
    for cell in routed["cell"]:
        if cell in last.index:
            kind = collapse(last.loc[cell].dropna().tolist())
            found.setdefault(kind, []).append(str(cell))
    return [
        f"Router collapsed to {kind} in {formats.plural(len(names), 'cell')}: {listed(names)}."
        for kind, names in found.items()
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
