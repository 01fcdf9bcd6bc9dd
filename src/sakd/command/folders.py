"""The reports in a folder of data, the latest first."""

from __future__ import annotations

from pathlib import Path

from sakd.foundation.errors import UserError
from sakd.foundation.tables import Table

DATA = "data"
"""The folder of all data in a project."""

REPORTS = ("08_reporting/*/report.html", "*/08_reporting/*/report.html")
"""The pages of reports, also those of environments with a folder of their own."""


def data_folder() -> Path:
    """Find the folder of data of the project that the working directory is in."""
    here = Path.cwd()
    root = next((folder for folder in (here, *here.parents) if (folder / "conf").is_dir()), here)
    return Path(DATA) if root == here else root / DATA


RESULTS = ("08_reporting/*/results.csv", "*/08_reporting/*/results.csv")
"""The results of grids, also of earlier ones, whose folders have a date in their names."""


REPORT_AGAIN = "make it again with sakd run --pipelines report, or delete it"
"""What to do about results that cannot be read."""


def latest_report(folder: Path, dataset: str | None = None) -> Path:
    """Find the page that was written last; copies of earlier reports do not count.

    Args:
        folder: The folder of data.
        dataset: The dataset of the report, as its folder is called; None for any.

    Raises:
        UserError: There is no report.
    """
    pages = [page for pattern in REPORTS for page in folder.glob(pattern)]
    pages = [page for page in pages if "@" not in page.parent.name]
    if not pages:
        raise UserError(f"there is no report in {folder}: make one with sakd run")
    pages.sort(key=lambda page: page.stat().st_mtime, reverse=True)
    by_name = {page.parent.name: page for page in reversed(pages)}
    return pages[0] if dataset is None else Table("report", by_name)[dataset]
