"""The sections on unfinished cells, on the settings, and on where the run comes from."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from sakd.reporting.pages.sections import Facts, Section, Tabular, Text
from sakd.reporting.pages.wording import KEYS, MADE
from sakd.reporting.tables.formats import NOTHING
from sakd.reporting.tables.settings import flat


def unfinished_section(cells: pd.DataFrame) -> list[Section]:
    """List the cells without a result, with their errors; no section if all finished."""
    lines = cells[~cells["finished"]]
    if lines.empty:
        return []
    table = pd.DataFrame(
        {
            "cell": lines["cell"].astype(str).tolist(),
            "distiller": lines["distiller"].tolist(),
            "policy": lines["policy"].tolist(),
            "seed": lines["seed"].astype(str).tolist(),
            "status": lines["status"].astype(str).tolist(),
            "error": [error or NOTHING for error in lines["error"]],
        }
    )
    block = Tabular("unfinished", "Cells that gave no result", table, names=len(table.columns))
    return [Section("Cells without a result", (block,))]


def settings_section(settings: Mapping[str, object]) -> list[Section]:
    """List the settings by their dotted names; no section without any, no line for an unset one."""
    facts = tuple(flat(settings).items())
    return [Section("Settings", (Text(KEYS), Facts(facts)), folded=True)] if facts else []


def provenance_section(provenance: Mapping[str, str]) -> list[Section]:
    """List where the report was made, in the order given."""
    if not provenance:
        return [Section("Provenance", (Text("Not recorded."),))]
    facts = tuple((str(name), str(value)) for name, value in provenance.items())
    return [Section("Provenance", (Text(MADE), Facts(facts)))]
