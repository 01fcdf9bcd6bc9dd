"""Write the verdict of a study into files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from sakd.foundation.files import at_once
from sakd.foundation.frames import csv_text
from sakd.reporting.tables.verdicts import ADAPTIVE
from sakd.reporting.verdict.levels import cell_lines
from sakd.reporting.verdict.page import blocks, filled, fresh
from sakd.reporting.verdict.part import Part
from sakd.reporting.verdict.pictures import differences_picture, rates_picture


def write(data: Path, datasets: Sequence[str], page: Path, *, keep: bool = True) -> None:
    """Write tables, pictures and a line for each cell from the results of a study.

    Args:
        data: The folder in which runs leave their results.
        datasets: Those of the study.
        page: The Markdown page. Pictures and the cells lie next to it, under its name.
        keep: Whether a page that is there keeps its prose, and has only its blocks replaced.

    Raises:
        UserError: A result is missing, or the page has no place for any block.
    """
    made: dict[str, str] = {}
    parts = [Part.read(data, dataset) for dataset in datasets]
    for part in parts:
        pictures = {
            f"{page.stem}-{part.dataset}-rates.svg": rates_picture(part, ADAPTIVE),
            f"{page.stem}-{part.dataset}-differences.svg": differences_picture(part),
        }
        titles = ("Rates over epochs, by teacher", "Differences with their intervals, by teacher")
        made |= blocks(part, dict(zip(pictures, titles, strict=True)))
        for name, picture in pictures.items():
            _save(page.with_name(name), picture)
    cells = pd.concat([cell_lines(part) for part in parts])
    _save(page.with_suffix(".csv"), csv_text(cells))
    _save(page, filled(page.read_text("utf-8") if keep and page.exists() else fresh(made), made))


def _save(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with at_once(path) as partial:
        partial.write_text(text, "utf-8")
