"""A file by which machines tell that they see the same folder as the run."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sakd.foundation.processes import process_runs
from sakd.study.store import CellStore


@contextmanager
def marked(cells: CellStore) -> Iterator[Path]:
    """Put a file into the store of cells, by which machines tell that they see the same folder."""
    name = f".run-{platform.node()}-"
    mark = cells.root / f"{name}{os.getpid()}"
    cells.root.mkdir(parents=True, exist_ok=True)
    for other in cells.root.glob(f"{name}*"):  # of runs that were killed
        if not process_runs(int(other.name.removeprefix(name))):
            other.unlink(missing_ok=True)
    mark.touch()
    try:
        yield mark
    finally:
        mark.unlink(missing_ok=True)
