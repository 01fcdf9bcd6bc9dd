"""One wrong input: how it is made, what the command says, with which exit status."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Make = Callable[[Path], object]


def nothing(_here: Path) -> None:
    """Make nothing: what is wrong is in the command."""


@dataclass(frozen=True)
class Case:
    """A row of the table.

    Attributes:
        name: What is wrong.
        words: The command after ``sakd``; ``{here}`` is the folder of the case.
        shown: A pattern that the error output has.
        make: Makes the files, in the folder of the case.
        status: The exit status.
        lines: The number of lines of the error output.
    """

    name: str
    words: tuple[str, ...]
    shown: str
    make: Make = nothing
    status: int = 1
    lines: int = 1


def prepare(name: str, parameters: str, shown: str, **more: object) -> Case:
    """Give a case of parameters."""
    words = ("run", "--env", "smoke", "--pipelines", "data_preparation", "--params", parameters)
    return Case(name, words, shown, **more)  # type: ignore[arg-type]


def read(name: str, make: Make, shown: str, options: str = "", **more: object) -> Case:
    """Give a case of images in a folder."""
    parameters = f"threads=1,data.path={{here}}/top{options and chr(44)}{options}"
    words = ("run", "--env", "own", "--pipelines", "data_preparation", "--params", parameters)
    return Case(name, words, shown, make, **more)  # type: ignore[arg-type]
