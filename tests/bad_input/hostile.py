"""An object whose pickle runs code: it makes a file in the working directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

RAN = "ran"
"""The file by which a case shows that its code was run."""


class Canary:
    """An object that, when unpickled, makes the file `RAN`."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        """Name the call that unpickling makes."""
        return Path.touch, (Path(RAN),)  # type: ignore[return-value]
