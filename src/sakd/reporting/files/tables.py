"""The tables of a report as files: CSV, Parquet and LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO

import pandas as pd

from sakd.foundation.sheets import sheet_text
from sakd.reporting.files.latex import latex
from sakd.reporting.pages.sections import FORMATS, Report, Tabular


def table_files(content: Report) -> dict[str, bytes]:
    """Write every table of a report in every format, by the names of the files."""
    return {
        f"{table.name}.{ending}": _WRITERS[ending](table)
        for table in content.tables
        for ending in FORMATS
    }


def frame(table: Tabular) -> pd.DataFrame:
    """Put the numbers behind a table next to its text; a number takes the place of its own text.

    Text stands under the titles that the report shows, such as ``95 % interval``, and numbers
    under plain names, such as ``low``. Accuracies and their differences are fractions.
    """
    values = {} if table.values is None else dict(table.values.items())
    return table.frame.assign(**values)


def _csv(table: Tabular) -> bytes:
    return sheet_text(frame(table)).encode()


def _parquet(table: Tabular) -> bytes:
    buffer = BytesIO()
    frame(table).to_parquet(buffer, index=False)
    return buffer.getvalue()


def _latex(table: Tabular) -> bytes:
    return latex(table).encode()


_WRITERS: Mapping[str, Callable[[Tabular], bytes]] = {
    "csv": _csv,
    "parquet": _parquet,
    "tex": _latex,
}
