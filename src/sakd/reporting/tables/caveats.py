"""Warnings to read before the numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from sakd.data import DataCard
from sakd.foundation.names import listed
from sakd.foundation.vocabulary import NONE
from sakd.reporting.tables import formats
from sakd.reporting.tables.contrasts import METHOD, SEVERAL, Contrast, duels
from sakd.reporting.tables.doubts import data_caveats, teacher_caveats
from sakd.reporting.tables.frames import (
    PAIR,
    compared_policies,
    distilled,
    every,
    pair_name,
    prepared,
)
from sakd.reporting.tables.kinds import REFERENCE
from sakd.reporting.tables.outcomes import Outcomes
from sakd.reporting.tables.routers import Router, routers, transfers
from sakd.reporting.tables.sweeps import tried


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
    found = [*_unfinished(every(results)), *_chosen(results)]
    found += [*data_caveats(data), *teacher_caveats(cells, data)]
    if not compared:
        found.append(f"No policy to compare with {REFERENCE}: the results hold no routed cells.")
    return found + _too_few_seeds(cells, compared)


def _unfinished(cells: pd.DataFrame) -> Iterator[str]:
    unfinished = int((~cells["finished"]).sum())
    if unfinished:
        number = f"{unfinished} of {formats.plural(len(cells), 'cell')}"
        yield f"No result from {number}; left out of every mean and difference."


def _chosen(results: pd.DataFrame) -> Iterator[str]:
    """Name what was chosen of sweeps, and of how many."""
    settings = tried(results)
    several = len({one.method[:3] for one in settings}) > 1
    names = []
    for one in (one for one in settings if one.chosen):
        count = sum(other.method == one.method for other in settings)
        where = f" of {pair_name(one.method[:3])}" if several else ""
        method = one.method[3] if one.method[3] == NONE else " ".join(one.method[3:])
        names.append(f"{method}{where}: {one.swept} of {count}")
    if names:
        favoured = "methods with more settings had more tries, which no interval counts"
        yield f"Settings were chosen on val ({listed(names)}): {favoured}."


def _too_few_seeds(cells: pd.DataFrame, compared: list[str]) -> list[str]:
    """Name all differences with too few seeds in one sentence."""
    several = len(cells.drop_duplicates(PAIR)) > 1
    few, total = [], 0
    for policy in compared:
        seeds = duels(cells, Contrast(policy, REFERENCE)).groupby(METHOD).size()
        asked = cells[cells["policy"].isin([policy, REFERENCE])]
        for method in distilled(asked)[METHOD].drop_duplicates().itertuples(index=False, name=None):
            total += 1
            n = int(seeds.get(method, 0))
            if n < SEVERAL:
                where = f" of {pair_name(method[:-1])}" if several else ""
                few.append(f"{method[-1]} {policy}{where}: n={n}")
    if not few:
        return []
    if len(few) == total > 1:
        where = "every difference"
    else:
        where = f"{len(few)} of {formats.plural(total, 'difference')} ({listed(few)})"
    noise = "too few to tell an effect from seed noise"
    return [f"Fewer than {SEVERAL} paired seeds in {where}: {noise}."]


def collapsed_policies(results: pd.DataFrame, history: pd.DataFrame) -> list[str]:
    """Name the cells whose policy stopped choosing, by its last rates; see `collapse`."""
    return _collapsed("Policy", routers(prepared(results), history))


def collapsed_transfers(results: pd.DataFrame, history: pd.DataFrame) -> list[str]:
    """Name the cells whose learnt strengths of transfer choose nothing in the last epoch."""
    return _collapsed("Transfer", transfers(prepared(results), history))


def _collapsed(what: str, found: Mapping[str, Router]) -> list[str]:
    states: dict[str, list[str]] = {}
    for cell, router in found.items():
        states.setdefault(router.state, []).append(cell)
    return [
        f"{what} collapsed to {state} in {formats.plural(len(names), 'cell')}: {listed(names)}."
        for state, names in states.items()
        if state
    ]


def image_caveats(outcomes: Outcomes) -> list[str]:
    """Say where intervals know nothing of the test images."""
    cells = outcomes.cells.loc[outcomes.cells["finished"], "cell"]
    lacking = [
        cell for cell in cells if outcomes.answers is None or not outcomes.answers.holds([cell])
    ]
    if not lacking or not compared_policies(outcomes.cells):
        return []
    whose = f"of {len(lacking)} of {formats.plural(len(cells), 'cell')}"
    return [
        f"No results per image {whose}: intervals are of seeds alone, and leave out the noise of "
        "test images that all seeds share; run --pipelines evaluate again."
    ]
