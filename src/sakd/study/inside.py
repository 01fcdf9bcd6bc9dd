"""Files of a folder, by their names."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class HasFolder(Protocol):
    """Anything with a folder."""

    folder: Path


class Inside:
    """A file of the folder of its owner; named when it is asked for, as a store has thousands."""

    def __init__(self, name: str) -> None:
        """Call the file ``name``."""
        self._name = name

    def __get__(self, owner: HasFolder, kind: type[HasFolder]) -> Path:
        """Name the file in the folder of ``owner``."""
        return owner.folder / self._name
