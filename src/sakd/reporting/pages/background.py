"""The sections on unfinished cells, on the settings, and on where the run comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from sakd.reporting.pages.sections import Facts, Section, Tabular, Text
from sakd.reporting.pages.wording import KEYS
from sakd.reporting.tables.formats import NOTHING


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
    block = Tabular("Cells that gave no result", table, names=len(table.columns))
    return [Section("Cells without a result", (block,))]


def settings_section(settings: Mapping[str, object]) -> list[Section]:
    """List the settings by their dotted names; no section without any, no line for an unset one."""
    facts = tuple(_flat(settings))
    return [Section("Settings", (Text(KEYS), Facts(facts)))] if facts else []


def _flat(settings: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, tuple | list):
            yield from [(f"{prefix}{name}", ", ".join(map(str, value)))] if value else []
        elif value is not None:
            yield f"{prefix}{name}", str(value)


def provenance_section(provenance: Mapping[str, str]) -> list[Section]:
    """List where the run comes from, in the order given."""
    if not provenance:
        return [Section("Provenance", (Text("Not recorded."),))]
    facts = tuple((str(name), str(value)) for name, value in provenance.items())
    return [Section("Provenance", (Facts(facts),))]
