"""Sweeps: the settings that were tried of a method, and those that are chosen on val."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from sakd.foundation.vocabulary import DONE, NONE
from sakd.reporting.tables import formats
from sakd.reporting.tables.columns import SWEPT, TEST, TITLE, VAL
from sakd.reporting.tables.shown import Shown
from sakd.reporting.tables.spread import Spread

METHOD = ["dataset", "teacher", "student", "distiller", "policy"]
"""The columns that name what is chosen for."""

CHOSEN = "chosen"


class Tried(NamedTuple):
    """One of several settings of a method. Accuracies are fractions.

    Attributes:
        method: The values of `METHOD`.
        swept: The settings, in words.
        val: Over the finished seeds, after the last epoch.
        test: Likewise.
        chosen: Whether it is what the method is reported with.
    """

    method: tuple[str, ...]
    swept: str
    val: Spread
    test: Spread
    chosen: bool


def tried(results: pd.DataFrame) -> list[Tried]:
    """List the settings of every method that was trained with several.

    Chosen is the one with the most finished seeds; of those, the one with the best mean accuracy on
    val; of equal ones the first.

    Args:
        results: One line per cell.
    """
    if SWEPT not in results or VAL not in results:
        return []
    done = (results["status"] == DONE).to_numpy()
    numbers = {name: pd.to_numeric(results[name], errors="coerce") for name in (VAL, TEST)}
    cells = _named(results).assign(**{name: each.where(done) for name, each in numbers.items()})
    found: list[Tried] = []
    for key, of_method in cells[cells[SWEPT] != ""].groupby(METHOD, sort=False):
        found += _of_method(tuple(map(str, key)), of_method)
    return found


def _named(results: pd.DataFrame) -> pd.DataFrame:
    """Give what names a cell, as text."""
    given = results[[*METHOD, SWEPT]].astype(object)
    return given.fillna({SWEPT: ""}).fillna(NONE).astype(str)


def _of_method(method: tuple[str, ...], cells: pd.DataFrame) -> Iterator[Tried]:
    spreads = {
        str(swept): (Spread.of(each[VAL]), Spread.of(each[TEST]))
        for swept, each in cells.groupby(SWEPT, sort=False)
    }
    best = max(spreads, key=lambda swept: _rank(spreads[swept][0]))
    for swept, (val, test) in spreads.items():
        yield Tried(method, swept, val, test, swept == best)


def _rank(val: Spread) -> tuple[int, float]:
    return val.n, val.mean if val.n else -np.inf


def chosen(results: pd.DataFrame) -> pd.Series:
    """Tell of every cell whether its method is reported with its settings."""
    others = {(*one.method, one.swept) for one in tried(results) if not one.chosen}
    if not others:
        return pd.Series(data=True, index=results.index)
    lines = _named(results).itertuples(index=False, name=None)
    return pd.Series([line not in others for line in lines], index=results.index)


def shown_sweep(settings: list[Tried]) -> Shown:
    """Show the settings that were tried of the methods of a pair."""
    text = {
        "distiller": [one.method[3] for one in settings],
        "policy": [one.method[4] for one in settings],
        "settings": [one.swept for one in settings],
        f"val {TITLE}": [formats.level(one.val) for one in settings],
        f"test {TITLE}": [formats.level(one.test) for one in settings],
        CHOSEN: [CHOSEN if one.chosen else formats.NOTHING for one in settings],
    }
    values = [{**one.val.columns("val_"), **one.test.columns("test_")} for one in settings]
    return Shown(pd.DataFrame(text), pd.DataFrame(values))
