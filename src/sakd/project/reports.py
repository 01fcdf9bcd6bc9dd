"""The folder of the report of a run, and copies of the latest reports."""

from __future__ import annotations

import csv
import logging
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kedro.io import CatalogProtocol

from sakd.foundation.files import folder_at_once, remove_abandoned
from sakd.project.parameters import active_parameters

KEPT = 10
"""Reports of a data set that are kept, the latest included; more where there are more studies."""

FILES = ("report.html", "report.md", "results.csv", "results.csv.sha256", "summary.json")
FOLDERS = ("tables", "pictures")

logger = logging.getLogger(__name__)


def report_folder(catalog: CatalogProtocol[str, Any]) -> Path:
    """Find the folder of the report of this run."""
    page: Any = catalog.get(f"{active_parameters().data.slug}-report_html")
    return Path(page._filepath).parent


def file_of(dataset: object) -> Path | None:
    """Find the file of a dataset of the project or of another package; None if it has none."""
    own, others = getattr(dataset, "filepath", None), getattr(dataset, "_filepath", None)
    return None if own is None and others is None else Path(str(own or others))


def keep(folder: Path, most: int = KEPT) -> Path:
    """Copy the report in ``folder``, which the next run overwrites; return the copy.

    The copy stands next to the folder, so that its links to cells work too. Of more than ``most``
    copies the oldest are deleted, which the log says; but the latest copy of every study stays.
    """
    copy = _name(folder)
    remove_abandoned(folder.parent, f"{folder.name}@")
    with folder_at_once(copy) as new:
        for file in FILES:
            if (folder / file).exists():
                shutil.copy2(folder / file, new)
        for part in FOLDERS:
            if (folder / part).exists():
                shutil.copytree(folder / part, new / part)
    copies = sorted(folder.parent.glob(f"{folder.name}@*Z"))
    latest = {_study(each): each for each in copies}
    for old in copies[:-most]:
        if old not in latest.values():
            shutil.rmtree(old)
            logger.info("%s is deleted: the latest %d reports are kept", place(old), most)
    return copy


def _name(folder: Path) -> Path:
    """Name the copy by the time of its report, and leave the reports of other studies alone."""
    made = datetime.fromtimestamp((folder / "report.html").stat().st_mtime, UTC)
    study = _study(folder)
    while True:
        copy = folder.with_name(f"{folder.name}@{made:%Y-%m-%dT%H%M%SZ}")
        if not copy.exists() or _study(copy) == study:
            return copy
        made += timedelta(seconds=1)


def _study(folder: Path) -> str:
    """Tell the studies of reports apart: by their cells, with the keys of these."""
    results = folder / "results.csv"
    if not results.exists():
        return folder.name
    with results.open(newline="") as lines:
        cells = sorted(f"{line.get('cell')} {line.get('key')}" for line in csv.DictReader(lines))
    return "\n".join(cells)


def place(path: Path) -> str:
    """Write ``path`` as seen from the working directory, if it lies within it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
