"""A policy against plain distillation, over the seeds that both finished."""

from __future__ import annotations

import pandas as pd

from sakd.reporting.tables.columns import TEST
from sakd.reporting.tables.frames import PAIR, distilled, prepared
from sakd.reporting.tables.kinds import REFERENCE, stands_alone
from sakd.reporting.tables.spread import Spread

POOLED = "all (pooled)"
"""The distiller column of a line that pools all distillers of a pair."""

_Line = dict[str, object]


def paired_differences(results: pd.DataFrame, policy: str) -> pd.DataFrame:
    """Subtract plain distillation from a policy in every seed that both finished.

    Returns:
        ``dataset, teacher, student, distiller, seed, difference``: of test accuracy, as a fraction.
    """
    return _differences(prepared(results), policy)


def _differences(cells: pd.DataFrame, policy: str) -> pd.DataFrame:
    keys = [*PAIR, "distiller", "seed"]
    finished = cells.loc[cells["finished"], [*keys, "policy", TEST]]
    left, right = (
        finished[finished["policy"] == name].drop(columns="policy") for name in (policy, REFERENCE)
    )
    both = left.merge(right, on=keys, suffixes=("", "_reference"))
    return both[keys].assign(difference=both[TEST] - both[f"{TEST}_reference"])


def policy_comparison(results: pd.DataFrame, policy: str) -> pd.DataFrame:
    """Compare a policy with plain distillation, seed by seed, for each distiller of each pair.

    A seed counts in the difference when both its cells finished. Each pair with two distillers to
    pool or more ends with a line (distiller ``all (pooled)``) over every (distiller, seed) of
    them, see `pooled`. The cells of one seed share the teacher and the student's initial weights,
    so the pooled differences are not independent and the interval of that line may be too narrow.

    Args:
        results: One line per cell.
        policy: The policy of interest, e.g. ``adaptive``.

    Returns:
        ``dataset, teacher, student, distiller``; ``<policy>_mean``, ``_sd``, ``_n`` of both; the
        paired difference ``mean``, ``sd``, ``n`` with its 95 % t-interval ``low`` to ``high``; and
        ``failed``, the cells of the two policies that gave no result. Accuracies are fractions;
        the levels of a pooled line are empty.
    """
    cells = distilled(prepared(results))
    cells = cells[cells["policy"].isin([policy, REFERENCE])]
    lines = [
        {**key, **_levels(group, [REFERENCE, policy]), **_difference(group, policy)}
        | {"failed": int((~group["finished"]).sum())}
        for key, group in _groups(cells)
    ]
    levels = [f"{name}_{part}" for name in (REFERENCE, policy) for part in ("mean", "sd", "n")]
    columns = [*levels, "mean", "sd", "n", "low", "high", "failed"]
    counts = [name for name in columns if name in ("n", "failed") or name.endswith("_n")]
    table = pd.DataFrame(lines, columns=[*PAIR, "distiller", *columns])
    return table.astype({name: "Int64" if name in counts else float for name in columns})


def pooled(cells: pd.DataFrame) -> pd.DataFrame:
    """Select the distilling cells whose differences are pooled.

    Distillers that stand alone are left out, unless there is no other. A sample that the policy
    leaves out does not train their student at all, so their differences are of another kind.
    """
    cells = distilled(cells)
    others = ~cells["distiller"].map(stands_alone).astype(bool)
    return cells[others] if others.any() else cells


def _groups(cells: pd.DataFrame) -> list[tuple[_Line, pd.DataFrame]]:
    groups: list[tuple[_Line, pd.DataFrame]] = []
    for pair, of_pair in cells.groupby(PAIR, sort=False):
        named: _Line = dict(zip(PAIR, pair, strict=True))
        each = of_pair.groupby("distiller", sort=False)
        groups += [({**named, "distiller": distiller}, group) for distiller, group in each]
        if (pool := pooled(of_pair))["distiller"].nunique() > 1:
            groups.append(({**named, "distiller": POOLED}, pool))
    return groups


def _levels(group: pd.DataFrame, policies: list[str]) -> _Line:
    if group["distiller"].nunique() > 1:
        return {}
    finished = group[group["finished"]]
    levels: _Line = {}
    for policy in policies:
        values = finished.loc[finished["policy"] == policy, TEST]
        levels |= Spread.of(values).columns(f"{policy}_")
    return levels


def _difference(group: pd.DataFrame, policy: str) -> _Line:
    spread = Spread.of(_differences(group, policy)["difference"])
    low, high = spread.interval
    return {**spread.columns(), "low": low, "high": high}
