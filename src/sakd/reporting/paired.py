"""One policy against another over the seeds that both finished."""

import pandas as pd

from sakd.reporting.frames import (
    PAIR,
    REFERENCE,
    compared_policies,
    distilled,
    policies_in,
    prepared,
)
from sakd.reporting.spread import Spread

POOLED = "all (pooled)"
"""The distiller column of a line that pools all distillers of a pair."""

_Line = dict[str, object]


def paired_differences(
    results: pd.DataFrame, policy: str, reference: str = REFERENCE
) -> pd.DataFrame:
    """The difference in test accuracy of every seed that both policies finished.

    Returns:
        ``dataset, teacher, student, distiller, seed, difference``, the last as a fraction.
    """
    return _differences(prepared(results), policy, reference)


def _differences(cells: pd.DataFrame, policy: str, reference: str) -> pd.DataFrame:
    keys = [*PAIR, "distiller", "seed"]
    finished = cells.loc[cells["finished"], [*keys, "policy", "test_top1"]]
    left, right = (
        finished[finished["policy"] == name].drop(columns="policy") for name in (policy, reference)
    )
    both = left.merge(right, on=keys, suffixes=("", "_reference"))
    return both[keys].assign(difference=both["test_top1"] - both["test_top1_reference"])


def policy_comparison(
    results: pd.DataFrame, policy: str, reference: str = REFERENCE
) -> pd.DataFrame:
    """Compare one policy with another, seed by seed, for each distiller of each pair.

    A seed counts in the difference when both its cells finished. Each pair with two distillers or
    more ends with a pooled line (distiller ``all (pooled)``) over every (distiller, seed). The
    cells of one seed share the teacher and the student's initial weights, so the pooled
    differences are not independent and the interval of that line may be too narrow.

    Args:
        results: One line per cell.
        policy: The policy of interest, e.g. ``adaptive``.
        reference: The policy it is compared with.

    Returns:
        ``dataset, teacher, student, distiller``; ``<policy>_mean``, ``_sd``, ``_n`` of both; the
        paired difference ``mean``, ``sd``, ``n`` with its 95 % t-interval ``low`` to ``high``; and
        ``failed``, the cells of the two policies that gave no result. Accuracies are fractions;
        the levels of a pooled line are empty.
    """
    cells = distilled(prepared(results))
    cells = cells[cells["policy"].isin([policy, reference])]
    levels = [reference, policy]
    lines = [
        {**key, **_levels(group, levels), **_difference(group, policy, reference), **_failed(group)}
        for key, group in _groups(cells)
    ]
    names = [*_level_names(levels), "mean", "sd", "n", "low", "high", "failed"]
    return _table(lines, names)


def paired_table(results: pd.DataFrame) -> pd.DataFrame:
    """Every policy beside plain distillation, for each distiller of each pair.

    The pooled lines are those of :func:`policy_comparison`, with the same reserve: the cells of
    one seed share the teacher and the student's initial weights and are not independent.

    Returns:
        ``dataset, teacher, student, distiller``; for each policy present ``<policy>_mean``,
        ``_sd``, ``_n`` of test_top1 over seeds; for each policy but ``always`` the paired
        difference ``<policy>_minus_always_mean``, ``_sd``, ``_n``, ``_low``, ``_high``; and
        ``failed``, the cells without a result. Accuracies are fractions.
    """
    cells = distilled(prepared(results))
    policies, compared = policies_in(cells), compared_policies(cells)
    lines = []
    for key, group in _groups(cells):
        line = {**key, **_levels(group, policies)}
        for policy in compared:
            difference = _difference(group, policy, REFERENCE)
            line |= {f"{policy}_minus_{REFERENCE}_{name}": v for name, v in difference.items()}
        lines.append(line | _failed(group))
    parts = ("mean", "sd", "n", "low", "high")
    names = [f"{policy}_minus_{REFERENCE}_{part}" for policy in compared for part in parts]
    return _table(lines, [*_level_names(policies), *names, "failed"])


def _groups(cells: pd.DataFrame) -> list[tuple[_Line, pd.DataFrame]]:
    groups: list[tuple[_Line, pd.DataFrame]] = []
    for pair, of_pair in cells.groupby(PAIR, sort=False):
        named: _Line = dict(zip(PAIR, pair, strict=True))
        each = list(of_pair.groupby("distiller", sort=False))
        groups += [({**named, "distiller": distiller}, group) for distiller, group in each]
        if len(each) > 1:
            groups.append(({**named, "distiller": POOLED}, of_pair))
    return groups


def _levels(group: pd.DataFrame, policies: list[str]) -> _Line:
    if group["distiller"].nunique() > 1:
        return {}
    finished = group[group["finished"]]
    levels: _Line = {}
    for policy in policies:
        values = finished.loc[finished["policy"] == policy, "test_top1"]
        levels |= Spread.of(values).columns(f"{policy}_")
    return levels


def _difference(group: pd.DataFrame, policy: str, reference: str) -> _Line:
    spread = Spread.of(_differences(group, policy, reference)["difference"])
    low, high = spread.interval
    return {**spread.columns(), "low": low, "high": high}


def _failed(group: pd.DataFrame) -> _Line:
    return {"failed": int((~group["finished"]).sum())}


def _level_names(policies: list[str]) -> list[str]:
    return [f"{policy}_{part}" for policy in policies for part in ("mean", "sd", "n")]


def _table(lines: list[_Line], names: list[str]) -> pd.DataFrame:
    table = pd.DataFrame(lines, columns=[*PAIR, "distiller", *names])
    counts = [name for name in names if name in ("n", "failed") or name.endswith("_n")]
    reals = [name for name in names if name not in counts]
    return table.astype(dict.fromkeys(counts, "Int64") | dict.fromkeys(reals, float))
