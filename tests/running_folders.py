"""The files of runs that are at work at the same time."""

from __future__ import annotations

from pathlib import Path

from sakd.foundation.files import PARTIAL
from sakd.foundation.folders import files_below


def whole_files(folder: Path, name: str) -> dict[Path, int]:
    """When each file of this name below ``folder`` was written, in nanoseconds.

    Those that are half written have folders of their own, and are left out.
    """
    found = ((path, state) for path, state in files_below(folder) if path.name == name)
    return {p: state.st_mtime_ns for p, state in found if p.parent.suffix != PARTIAL}
