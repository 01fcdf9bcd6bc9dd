"""A policy against plain distillation, over the seeds that both finished."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from sakd.evidence import Reading, holm, read
from sakd.foundation.vocabulary import NONE
from sakd.reporting.tables.columns import TEST
from sakd.reporting.tables.contrasts import Contrast, Difference, difference, duels, pooled
from sakd.reporting.tables.frames import PAIR, distilled, of_distillers, prepared
from sakd.reporting.tables.kinds import REFERENCE
from sakd.reporting.tables.outcomes import Outcomes
from sakd.reporting.tables.routers import Tally
from sakd.reporting.tables.spread import Spread

POOLED = "all (pooled)"
"""The distiller column of a line that pools all distillers of a pair."""

CHOOSING = "that chose (pooled)"
"""The same without the distillers whose routers all stopped choosing."""

_LEVELS = ("mean", "sd", "n")
_COUNTS = ("n", "images", "needed", "failed")
_NUMBERS = ("mean", "sd", "low", "high", "bound", "p", "holm")

_Line = dict[str, object]


def paired_differences(results: pd.DataFrame, policy: str) -> pd.DataFrame:
    """Subtract plain distillation from a policy in every seed that both finished.

    Returns:
        ``dataset, teacher, student, distiller, seed``, the cells ``first`` and ``second``, and the
        ``difference``: of test accuracy, as a fraction.
    """
    return duels(prepared(results), Contrast(policy, REFERENCE))


def policy_comparison(
    results: pd.DataFrame,
    policy: str,
    predictions: pd.DataFrame | None = None,
    history: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Compare a policy with plain distillation, see `comparison`.

    Args:
        results: One line per cell.
        policy: The policy of interest, e.g. ``adaptive``.
        predictions: One line per (cell, test image); without it intervals are of seeds alone.
        history: One line per (cell, epoch); without it no collapsed router is marked.
    """
    outcomes = Outcomes.of(results, history, predictions)
    return comparison(outcomes, Contrast(policy, REFERENCE))


def comparison(outcomes: Outcomes, contrast: Contrast) -> pd.DataFrame:
    """Compare two policies, seed by seed, for each distiller of each pair.

    A seed counts in the difference when both its cells finished. Each pair with two distillers to
    pool or more ends with the line `POOLED`, and with `CHOOSING` where routers collapsed; each seed
    is one unit there, with the mean of its distillers.

    Returns:
        ``dataset, teacher, student, distiller``; ``<policy>_mean``, ``_sd``, ``_n`` of both; the
        paired difference ``mean``, its ``sd`` between seeds and their number ``n``, its 95 %
        interval ``low`` to ``high``, ``bound`` (no difference is larger, at 95 %), ``p``, ``holm``
        (``p`` adjusted for the distillers of the pair), ``reading``, the test ``images`` in the
        interval (0: it is one of seeds alone), ``needed`` (seeds that would settle it), ``router``
        (what became of the routers); and ``failed``, the cells of the two policies that gave no
        result. Accuracies are fractions; the levels of a pooled line are empty.
    """
    lines = [line for part in _pairs(outcomes) for line in _lines(part, contrast)]
    levels = [f"{name}_{part}" for name in (contrast.second, contrast.first) for part in _LEVELS]
    rest = ["mean", "sd", "n", "low", "high", "bound", "p", "holm", "reading", "images", "needed"]
    table = pd.DataFrame(lines, columns=[*PAIR, "distiller", *levels, *rest, "router", "failed"])
    counts = [name for name in table if name in _COUNTS or name.endswith("_n")]
    numbers = [name for name in levels if not name.endswith("_n")]
    kinds = dict.fromkeys(counts, "Int64") | dict.fromkeys([*numbers, *_NUMBERS], "float")
    return table.astype(kinds)


def _pairs(outcomes: Outcomes) -> Iterator[Outcomes]:
    for _, cells in outcomes.cells.groupby(PAIR, sort=False):
        yield replace(outcomes, cells=cells)


def _lines(outcomes: Outcomes, contrast: Contrast) -> list[_Line]:
    """Compare the distillers of one pair, and pool them."""
    cells = of_distillers(distilled(outcomes.cells))
    cells = cells[cells["policy"].isin(contrast)]
    found = duels(outcomes.cells, contrast)
    lines = [
        _line(outcomes, contrast, group, found[found["distiller"] == distiller])
        | {"distiller": distiller, **_levels(group, contrast)}
        for distiller, group in cells.groupby("distiller", sort=False)
    ]
    adjusted = holm(np.array([line["p"] for line in lines], dtype=float))
    for line, p in zip(lines, adjusted, strict=True):
        line |= {"holm": p, "reading": _reading(line, outcomes.margin, p)}
    pool = pooled(cells)
    if pool["distiller"].nunique() > 1:
        lines += _pooled_lines(outcomes, contrast, pool, found)
    named = dict(zip(PAIR, outcomes.cells[PAIR].iloc[0], strict=True))
    return [named | line for line in lines]


def _pooled_lines(
    outcomes: Outcomes, contrast: Contrast, pool: pd.DataFrame, found: pd.DataFrame
) -> Iterator[_Line]:
    chosen = {POOLED: list(pool["distiller"].unique())}
    tallies = {
        name: Tally.of(outcomes.routers, group.loc[group["policy"] == contrast.first, "cell"])
        for name, group in pool.groupby("distiller", sort=False)
    }
    if any(tally.all_collapsed for tally in tallies.values()):
        chosen[CHOOSING] = [name for name, tally in tallies.items() if not tally.all_collapsed]
    for name, distillers in chosen.items():
        group, of_these = (part[part["distiller"].isin(distillers)] for part in (pool, found))
        line = _line(outcomes, contrast, group, of_these)
        yield line | {"distiller": name, "reading": _reading(line, outcomes.margin)}


def _line(
    outcomes: Outcomes, contrast: Contrast, group: pd.DataFrame, found: pd.DataFrame
) -> _Line:
    """Compare the duels that were ``found`` among the cells of ``group``."""
    each = difference(outcomes, found)
    low, high = each.estimate.interval()
    tally = Tally.of(outcomes.routers, group.loc[group["policy"] == contrast.first, "cell"])
    return {
        "mean": each.estimate.mean,
        "sd": each.sd,
        "n": each.seeds,
        "low": low,
        "high": high,
        "bound": each.estimate.bound,
        "p": each.estimate.p,
        "images": each.images,
        "needed": each.needed,
        "router": tally.mark,
        "failed": int((~group["finished"]).sum()),
        "found": each,
    }


def _reading(line: _Line, margin: float, p: float | None = None) -> str:
    found = line["found"]
    if not isinstance(found, Difference) or not found.enough:
        return Reading.UNKNOWN.value
    return read(found.estimate, margin, p).value


def _levels(group: pd.DataFrame, contrast: Contrast) -> _Line:
    finished = group[group["finished"]]
    levels: _Line = {}
    for policy in contrast:
        if policy != NONE:
            values = finished.loc[finished["policy"] == policy, TEST]
            levels |= Spread.of(values).columns(f"{policy}_")
    return levels
