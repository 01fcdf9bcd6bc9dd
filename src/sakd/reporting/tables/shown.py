"""A table as text, with the numbers that the text is made of."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd


class Shown(NamedTuple):
    """A table as pages and the terminal show it.

    Attributes:
        text: Strings under the titles of the columns.
        values: Plain numbers, line for line; accuracies and their differences are fractions.
    """

    text: pd.DataFrame
    values: pd.DataFrame
