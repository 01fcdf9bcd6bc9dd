"""The state of the trainings in a store, for commands that only look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sakd.foundation.errors import UserError, require
from sakd.project.cluster.leases import LASTS
from sakd.project.cluster.shelf import RECORD, opened
from sakd.project.errors import one_line
from sakd.study.live import RUNNING

CELLS = "06_models/{}/cells"
"""The place of the cells of a dataset in a folder of data."""


def fetch_records(url: str, data: str, folder: Path, whole: str) -> None:
    """Copy the records of the cells of a dataset, and how far those are that run.

    Args:
        url: The store.
        data: The name of the dataset.
        folder: For the copies, as in a store of cells.
        whole: The group of which all files are copied: teachers, by which students are known.

    Raises:
        UserError: The store cannot be read, or nothing is there.
    """
    with _reading(url) as (files, place):
        cells = f"{place}/{data}"
        wanted = f"/{RECORD}", f"{cells}/{whole}/"
        found = [path for path in files.find(cells) if any(part in path for part in wanted)]
        copies = [str(folder / path.partition(f"{cells}/")[2]) for path in found]
        for copy in copies:
            Path(copy).parent.mkdir(parents=True, exist_ok=True)
        files.get(found, copies)
        _fetch_running(files, cells, folder)


def fetch_running(url: str, folder: Path) -> None:
    """Copy how far the trainings of all datasets are that run.

    Args:
        url: The store.
        folder: For the copies, as in a folder of data.

    Raises:
        UserError: The store cannot be read, or nothing is there.
    """
    with _reading(url) as (files, place):
        for cells in files.ls(place, detail=False):
            _fetch_running(files, cells, folder / CELLS.format(cells.rpartition("/")[2]))


@contextmanager
def _reading(url: str) -> Iterator[tuple[Any, str]]:
    """Open the store at ``url``; turn what goes wrong with it into one line."""
    files, place = opened(url)
    try:
        there = files.exists(place)
        require(there, f"there is nothing in the store {url}: name that of the run with --store")
        yield files, place
    except UserError:
        raise
    except Exception as error:  # each kind of store has its own
        found = f"the store {url} cannot be read ({one_line(error)})"
        raise UserError(f"{found}: see to the network and to your rights there") from error


def _fetch_running(files: Any, cells: str, folder: Path) -> None:  # noqa: ANN401 - fsspec's
    """Copy the files of trainings that run; who has not renewed one for long runs no longer."""
    try:
        found = files.ls(f"{cells}/{RUNNING}", detail=False)
    except (FileNotFoundError, NotADirectoryError):
        return
    place = folder / RUNNING
    place.mkdir(parents=True, exist_ok=True)
    for path in found:
        with suppress(FileNotFoundError):  # it has ended at this moment
            if datetime.now(UTC) - files.modified(path) < timedelta(seconds=LASTS):
                files.get_file(path, str(place / path.rpartition("/")[2]))
