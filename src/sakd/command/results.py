"""Show the cells of all grids and datasets in one table; filters take names, joined by plus."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from sakd.command.folders import REPORT_AGAIN, RESULTS, data_folder
from sakd.command.listing import aligned
from sakd.command.parser import Parser
from sakd.foundation.errors import require
from sakd.foundation.frames import read_sealed_table
from sakd.foundation.names import listed
from sakd.foundation.sheets import sheet_text
from sakd.foundation.tables import Table

FILTERS = ("dataset", "teacher", "student", "distiller", "policy", "seed", "status")
"""The columns by which lines are chosen."""

OWN, SWEPT, CHOSEN = "setting", "swept", "chosen"
"""Columns of cells that have settings of their own, shown where there are some."""

ACCURACIES = ("val_top1", "test_top1")
SHOWN = (*FILTERS, "epochs", *ACCURACIES, OWN, CHOSEN, "key")
KEY = 12  # characters of a key, as in the name of the folder


def run(arguments: Sequence[str]) -> None:
    """Print the table, or all columns as CSV.

    Raises:
        UserError: There are no results, or none with a name that is asked for.
    """
    parser = Parser("results", __doc__)
    for name in FILTERS:
        parser.add_argument(f"--{name}", metavar="NAME", help=f"only these in the column {name}")
    parser.add_argument("--csv", action="store_true", help="print all columns as CSV")
    parser.add_argument("--data", type=Path, default=data_folder(), help="the folder of all data")
    given = parser.parse_args(arguments)
    chosen = {name: getattr(given, name) for name in FILTERS if getattr(given, name) is not None}
    found = filtered(merged(given.data), chosen)
    sys.stdout.write(sheet_text(found) if given.csv else _table(found))


def merged(folder: Path) -> pd.DataFrame:
    """Join the results of all reports in the folder of data, a line for every cell and key.

    Of a cell that is in several reports, by itself or in a sweep, the latest line stays.

    Raises:
        UserError: There is none, or one is damaged.
    """
    files = [file for pattern in RESULTS for file in folder.glob(pattern)]
    require(bool(files), f"there are no results in {folder}: make some with sakd run")
    files.sort(key=lambda file: file.stat().st_mtime)
    tables = pd.concat(map(_read, files), ignore_index=True)
    tables = tables.drop_duplicates([*FILTERS[:-1], "key"], keep="last")
    return tables.sort_values(list(FILTERS[:-1]), kind="stable").reset_index(drop=True)


def _read(file: Path) -> pd.DataFrame:
    found = read_sealed_table(file, REPORT_AGAIN)
    lacking = [name for name in (*FILTERS, "key") if name not in found]
    require(not lacking, f"{file} lacks the columns {listed(lacking)}: {REPORT_AGAIN}")
    for name in ACCURACIES:
        fine = pd.api.types.is_numeric_dtype(found.get(name, pd.Series(dtype=float)))
        require(fine, f"{file} has {name} that are no numbers: {REPORT_AGAIN}")
    return found


def filtered(cells: pd.DataFrame, chosen: dict[str, str]) -> pd.DataFrame:
    """Keep the lines whose columns have one of the names that are ``chosen``, joined by plus.

    Raises:
        UserError: No line has such a name.
    """
    for column, names in chosen.items():
        values = cells[column].astype(str)
        known = Table(column, dict.fromkeys(values, True))
        wanted = [name for name in names.split("+") if known[name]]
        cells = cells[values.isin(wanted)]
    return cells


def _table(cells: pd.DataFrame) -> str:
    rows = cells.reindex(columns=SHOWN).copy()
    for name in ACCURACIES:
        rows[name] = rows[name].map(lambda share: "" if pd.isna(share) else f"{100 * share:.2f}")
    rows["key"] = rows["key"].astype(str).str[:KEY]
    swept = cells.reindex(columns=[SWEPT])[SWEPT].notna()
    rows[OWN] = rows[OWN].astype(object).fillna("")
    rows[CHOSEN] = (
        rows[CHOSEN].astype(object).map({True: "yes", False: "no"}).where(swept).fillna("")
    )
    rows = rows.drop(columns=[name for name in (OWN, CHOSEN) if not rows[name].any()])
    heads = [name.replace("_top1", " %") for name in rows]
    return aligned([heads, *(tuple(map(str, line)) for line in rows.itertuples(index=False))])
