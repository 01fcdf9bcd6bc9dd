"""Every table of a report has a name of its own and the numbers that it shows."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import pandas as pd

from sakd.reporting.pages.sections import Report, Tabular

OF_WORDS = {"settings", "unfinished"}
NUMBER = re.compile(r"(?<![\w@.])[+-]?\d[\d,]*(?:\.\d+)?(?![\w.])")
UNITS = (1, 100, 1e-6)
"""A value as it is, in percent or points, in millions."""


def test_no_two_tables_share_a_name(full: Report) -> None:
    names = [table.name for table in full.tables]
    assert len(names) == len(set(names)) > 20
    assert all(re.fullmatch(r"\w+(-\w+-\w+)?", name, re.ASCII) for name in names)


def test_all_but_those_of_words_have_values_for_every_line(full: Report) -> None:
    assert {table.name for table in full.tables if table.values is None} == OF_WORDS
    for table in full.tables:
        if table.values is not None:
            assert table.values.index.equals(table.frame.index), table.name
            assert all(map(pd.api.types.is_numeric_dtype, table.values.dtypes)), table.name


def test_a_table_shows_its_values_and_no_other_numbers(full: Report) -> None:
    for table in full.tables:
        if table.values is not None:
            for shown, values in _lines(table):
                found = [number for text in shown for number in NUMBER.findall(text)]
                assert found, table.name
                for number in found:
                    assert any(_shows(number, value) for value in values), (table.name, number)


def _lines(table: Tabular) -> Iterator[tuple[list[str], list[float]]]:
    """Yield the shown numbers and the values of every line."""
    words = [name for name in table.frame if name in ("router", "reading", "which")]
    shown = table.frame.iloc[:, table.names :].drop(columns=words, errors="ignore")
    texts = shown.astype(str).to_numpy().tolist()
    for text, values in zip(texts, table.values.to_numpy(dtype=float).tolist(), strict=True):
        yield text, [value for value in values if not math.isnan(value)]


def _shows(number: str, value: float) -> bool:
    """Tell whether the text is ``value`` in one of the units, rounded as the text is."""
    decimals = len(number.partition(".")[2])
    shown = float(number.replace(",", ""))
    return any(abs(shown - unit * value) <= 0.5001 * 10**-decimals for unit in UNITS)
