"""Write the verdict of a study into files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from sakd.foundation.errors import UserError, require
from sakd.foundation.files import at_once, openable
from sakd.foundation.places import check_place
from sakd.foundation.sheets import sheet_text
from sakd.reporting.tables.verdicts import ADAPTIVE
from sakd.reporting.verdict.levels import cell_lines
from sakd.reporting.verdict.page import block_names, blocks, check_page, filled, fresh
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
        files = _pictures(page, part.dataset)
        titles = ("Rates over epochs, by teacher", "Differences with their intervals, by teacher")
        names = (file.name for file in files)
        made |= blocks(part, dict(zip(names, titles, strict=True)))
        drawn = (rates_picture(part, ADAPTIVE), differences_picture(part))
        for file, picture in zip(files, drawn, strict=True):
            _save(file, picture)
    cells = pd.concat([cell_lines(part) for part in parts])
    _save(_cells(page), sheet_text(cells))
    _save(page, filled(_read(page) if keep and page.exists() else fresh(made), made))


def check(datasets: Sequence[str], page: Path, *, keep: bool = True) -> None:
    """Check before a study that `write` will take its page, and can write all files.

    Raises:
        UserError: The page is not text in UTF-8, has no place for any block, or is called as the
            file of the cells.
        OSError: A file cannot be read or written.
    """
    check_place(page)
    cells = _cells(page)
    require(page != cells, f"{page} is where the cells are written: call the page {page.stem}.md")
    if keep and page.exists():
        check_page(_read(page), block_names(datasets))
    for file in (cells, *(each for name in datasets for each in _pictures(page, name))):
        check_place(file)


def _cells(page: Path) -> Path:
    return page.with_suffix(".csv")


def _pictures(page: Path, dataset: str) -> tuple[Path, Path]:
    """Name the files of rates and of differences."""
    rates, differences = (f"{page.stem}-{dataset}-{what}.svg" for what in ("rates", "differences"))
    return page.with_name(rates), page.with_name(differences)


def _read(page: Path) -> str:
    try:
        return openable(page).read_text("utf-8")
    except UnicodeDecodeError as error:
        found = f"{page} is not text in UTF-8 (byte {error.start})"
        raise UserError(f"{found}: write it in UTF-8, or name another page") from error


def _save(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with at_once(path) as partial:
        partial.write_text(text, "utf-8")
