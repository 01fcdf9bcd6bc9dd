"""The section on sweeps: what was tried, what was chosen, and what that says of the results."""

from __future__ import annotations

import pandas as pd

from sakd.reporting.pages.sections import Block, Section, Tabular, Text
from sakd.reporting.pages.wording import SWEEPS
from sakd.reporting.tables.frames import pair_file, pair_name
from sakd.reporting.tables.sweeps import shown_sweep, tried


def sweeps_section(results: pd.DataFrame) -> list[Section]:
    """Show the settings that were tried, pair by pair; no section if there were no others."""
    settings = tried(results)
    if not settings:
        return []
    blocks: list[Block] = [Text(SWEEPS)]
    for pair in dict.fromkeys(one.method[:3] for one in settings):
        table = shown_sweep([one for one in settings if one.method[:3] == pair])
        caption = f"Settings, {pair_name(pair)}"
        blocks.append(Tabular(pair_file("sweep", pair), caption, *table, names=3))
    return [Section("Sweeps", tuple(blocks))]
