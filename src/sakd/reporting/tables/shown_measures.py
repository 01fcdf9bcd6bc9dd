"""The tables of measures as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import pandas as pd

from sakd.foundation.vocabulary import NONE
from sakd.reporting.tables.columns import COST, ROBUSTNESS, TEST, TEST_BALANCED, TEST_NLL
from sakd.reporting.tables.formats import NOTHING, number, percent
from sakd.reporting.tables.measured import cost_rows, measure_rows
from sakd.reporting.tables.shown import Shown

MB = 1e6


class Column(NamedTuple):
    """The heading of a measure, and the text of a value."""

    title: str
    show: Callable[[float], str]


def _scaled(factor: float, digits: int = 2) -> Callable[[float], str]:
    return lambda value: number(value / factor, digits)


QUALITY: Mapping[str, Column] = {
    TEST: Column("top-1 %", percent),
    "test_top5": Column("top-5 %", percent),
    TEST_BALANCED: Column("balanced %", percent),
    TEST_NLL: Column("NLL", partial(number, digits=3)),
    "test_ece": Column("ECE %", percent),
    "test_ece_scaled": Column("ECE % (scaled)", percent),
    "temperature": Column("temperature", number),
    "test_agreement": Column("agreement %", percent),
    "test_kl": Column("KL", partial(number, digits=3)),
    "seconds": Column("training s", partial(number, digits=0)),
}

CORRUPTED: Mapping[str, Column] = {TEST: QUALITY[TEST]} | {
    name: Column(name.removeprefix("test_corrupted").strip("_") or "corrupted, mean", percent)
    for name in ROBUSTNESS
}

SIZES: Mapping[str, Column] = {
    "parameters": Column("parameters", partial(number, digits=0)),
    "macs": Column("million MACs", _scaled(1e6)),
    "file_bytes": Column("file, MB", _scaled(MB)),
    "peak_bytes": Column("memory, MB", _scaled(MB)),
}

TIMES: Mapping[str, Column] = {
    name: Column(" ".join(name.split("_")[1:3]).replace("b", "batch ") + ", ms", number)
    for name in COST
    if name not in SIZES
}


def shown_quality(results: pd.DataFrame) -> Shown:
    """Show likelihood, calibration and fidelity of every method of one pair."""
    return _shown(results, QUALITY)


def shown_robustness(results: pd.DataFrame) -> Shown:
    """Show the accuracies under corruptions of every method of one pair."""
    return _shown(results, CORRUPTED)


def _shown(results: pd.DataFrame, columns: Mapping[str, Column]) -> Shown:
    rows = measure_rows(results)
    policies = rows["policy"].where(rows["policy"] != NONE, NOTHING)
    named = pd.DataFrame({"distiller": rows["distiller"], "policy": policies})
    text = named.assign(**_texts(rows, columns), n=rows["n"].astype(str))
    return Shown(text, rows[[*columns, "n"]])


def shown_costs(results: pd.DataFrame) -> Shown:
    """Show what every network costs."""
    rows = cost_rows(results)
    columns = {**SIZES, **TIMES}
    return Shown(rows[["network", "role"]].assign(**_texts(rows, columns)), rows[[*columns]])


def _texts(rows: pd.DataFrame, columns: Mapping[str, Column]) -> dict[str, list[str]]:
    return {title: [show(value) for value in rows[name]] for name, (title, show) in columns.items()}


def empty(table: pd.DataFrame) -> bool:
    """Tell whether the text of ``table`` shows nothing but names, accuracy and numbers of cells."""
    measures = table.drop(
        columns=["distiller", "policy", "network", "role", "n", QUALITY[TEST].title],
        errors="ignore",
    )
    return bool((measures == NOTHING).all(axis=None))
