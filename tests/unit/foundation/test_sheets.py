"""No text in CSV is a formula of a spreadsheet."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest

from sakd.foundation.sheets import sheet_cell, sheet_text

WIDE = dict(zip("=+-@", "\uff1d\uff0b\uff0d\uff20", strict=True))


@pytest.mark.parametrize("sign", [*WIDE, *WIDE.values()])
def test_a_text_that_begins_like_a_formula_is_marked_as_text(sign: str) -> None:
    assert sheet_cell(f"{sign}SUM(A1)") == f"'{sign}SUM(A1)"
    assert sheet_cell(f"a{sign}b") == f"a{sign}b"
    assert sheet_cell(f"'{sign}b") == f"'{sign}b"


def test_numbers_and_nothing_stay_as_they_are() -> None:
    for text in ("", "-0.25", "+1", "\uff0d0.25", "0 \uff1d 1"):
        assert sheet_cell(text) == text


@pytest.mark.parametrize("sign", ["=", WIDE["="]])
def test_cells_and_titles_of_a_table_are_marked_once(sign: str) -> None:
    table = pd.DataFrame({f"{sign}a": [f"{sign}b", "c"], "n": [-1.5, 2.0]})
    rows = list(csv.reader(io.StringIO(sheet_text(table))))
    assert rows == [[f"'{sign}a", "n"], [f"'{sign}b", "-1.5"], ["c", "2.0"]]
