"""Text for spreadsheets, which take signs of full width for those of formulas too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sakd.foundation.text import csv_cell, printable

if TYPE_CHECKING:
    import pandas as pd

_PLAIN = str.maketrans("\uff1d\uff0b\uff0d\uff20", "=+-@")
"""The signs of formulas that are as wide as a letter of Chinese, and those that they stand for."""

MARK = "'"
"""Begins what is a text to a spreadsheet, whatever it looks like."""


def sheet_cell(text: str) -> str:
    r"""Write text as `csv_cell` does, with a mark also where the sign is of full width.

    >>> sheet_cell("\uff1d1+1"), sheet_cell("\uff0d0.25"), sheet_cell("=1+1")
    ("'\uff1d1+1", '\uff0d0.25', "'=1+1")
    """
    plain = text[:1].translate(_PLAIN) + text[1:]
    wide = plain != text and csv_cell(plain).startswith(MARK)
    return f"{MARK}{printable(text)}" if wide else csv_cell(text)


def sheet_text(table: pd.DataFrame) -> str:
    """Write a table as CSV to be looked at, in which no text is a formula, see `sheet_cell`."""
    shown = table.map(lambda cell: sheet_cell(cell) if isinstance(cell, str) else cell)
    text: str = shown.rename(columns=sheet_cell).to_csv(index=False, lineterminator="\n")
    return text
