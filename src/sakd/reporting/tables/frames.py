"""The results frame: its columns, its keys, and which of its cells count."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from sakd.foundation.errors import UserError
from sakd.foundation.names import file_name
from sakd.foundation.vocabulary import DONE, NONE
from sakd.networks.variants import slug
from sakd.reporting.tables.columns import MEASURED, TEST
from sakd.reporting.tables.kinds import REFERENCE, compares_policies
from sakd.reporting.tables.sweeps import chosen
from sakd.routing import POLICIES

PAIR = ["dataset", "teacher", "student"]
"""The columns that name a teacher and student on a data set."""

_KNOWN_POLICIES = (REFERENCE, *(name for name in POLICIES if name != REFERENCE))
_REQUIRED = ("cell", *PAIR, "distiller", "policy", "seed", "status", TEST)
_KEY = [*PAIR, "distiller", "policy", "seed"]


def prepared(results: pd.DataFrame) -> pd.DataFrame:
    """Check the results, keep what is chosen of sweeps, and add the boolean column ``finished``.

    A cell is finished when its status is ``done`` and its test accuracy is a finite number; a cell
    that diverged to NaN is thereby not finished, whatever its status says.

    Args:
        results: One line per cell; accuracies are fractions.

    Raises:
        UserError: A column is missing, or two lines are the same cell, which would count it twice.
    """
    missing = [name for name in _REQUIRED if name not in results.columns]
    if missing:
        message = f"the results lack the column {missing[0]!r}; needed: {', '.join(_REQUIRED)}"
        raise UserError(message)
    cells = every(results[chosen(results)])
    _reject_duplicates(cells)
    return cells


def every(results: pd.DataFrame) -> pd.DataFrame:
    """Prepare results with all that was tried in sweeps, see `prepared`."""
    cells = results.reset_index(drop=True)
    cells = cells.assign(
        **{name: cells[name].fillna(NONE).astype(str) for name in ("distiller", "policy")},
        **{name: _numbers(cells, name) for name in ("epochs", *MEASURED)},
        error=cells["error"].astype(object).fillna("").astype(str) if "error" in cells else "",
    )
    return cells.assign(finished=(cells["status"] == DONE) & np.isfinite(cells[TEST]))


def _numbers(cells: pd.DataFrame, name: str) -> pd.Series:
    if name not in cells:
        return pd.Series(np.nan, index=cells.index, dtype=float)
    return pd.to_numeric(cells[name], errors="coerce").astype(float)


def _reject_duplicates(cells: pd.DataFrame) -> None:
    twice = cells.loc[cells.duplicated(_KEY), _KEY]
    if len(twice):
        cell = ", ".join(f"{name}={value}" for name, value in twice.iloc[0].items())
        message = f"the results hold two lines for one cell ({cell}); keep one of them"
        raise UserError(message)


def distilled(cells: pd.DataFrame) -> pd.DataFrame:
    """Select the cells that distil: all but the student trained alone."""
    return cells[cells["distiller"] != NONE]


def of_distillers(cells: pd.DataFrame) -> pd.DataFrame:
    """Select the cells of methods that policies can route, and the students trained alone."""
    return cells[cells["distiller"].map(compares_policies).astype(bool)]


def policies_in(cells: pd.DataFrame) -> list[str]:
    """List the policies of the distilling cells: plain distillation, then those of the table."""
    present = set(distilled(cells)["policy"])
    known = [name for name in _KNOWN_POLICIES if name in present]
    return known + sorted(present.difference(known))


def compared_policies(cells: pd.DataFrame) -> list[str]:
    """List the policies that are compared with plain distillation."""
    return [name for name in policies_in(cells) if name != REFERENCE]


def by_method(cells: pd.DataFrame) -> Iterator[tuple[dict[str, str], pd.DataFrame]]:
    """Yield the cells of every method of every pair, with the values of what names it.

    Pairs and distillers are in the order of the results, policies in the order of `policies_in`.
    """
    ranks = {policy: rank for rank, policy in enumerate(policies_in(cells))}
    for key, group in cells.groupby([*PAIR, "distiller"], sort=False):
        named = dict(zip([*PAIR, "distiller"], key, strict=True))
        for policy in sorted(group["policy"].unique(), key=lambda name: ranks.get(name, -1)):
            yield {**named, "policy": policy}, group[group["policy"] == policy]


def of_pair(table: pd.DataFrame, pair: tuple[str, ...]) -> pd.DataFrame:
    """Select the lines of one (dataset, teacher, student)."""
    return table[(table[PAIR] == list(pair)).all(axis=1)]


def pair_name(pair: tuple[str, ...]) -> str:
    """Write a pair as text, e.g. ``digits: resnet20 -> resnet8``."""
    dataset, teacher, student = pair
    return f"{dataset}: {teacher} -> {student}"


def pair_file(name: str, pair: tuple[str, ...]) -> str:
    """Name a file of one pair, e.g. ``reference-resnet20-resnet8``."""
    _, teacher, student = pair
    return f"{file_name(name)}-{slug(teacher)}-{slug(student)}"
