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
        value: A pattern for the wrong value, or its place, in the line that the command says.
        remedy: A pattern for what is allowed or what to do, in the same line.
        make: Makes the files, in the folder of the case.
        status: The exit status.
    """

    name: str
    words: tuple[str, ...]
    value: str
    remedy: str
    make: Make = nothing
    status: int = 1


def command(name: str, words: str, value: str, remedy: str, **more: object) -> Case:
    """Give a case of a command."""
    return Case(name, tuple(words.split()), value, remedy, **more)  # type: ignore[arg-type]


def prepare(name: str, parameters: str, value: str, remedy: str, **more: object) -> Case:
    """Give a case of parameters."""
    words = ("run", "--env", "smoke", "--pipelines", "data_preparation", "--params", parameters)
    return Case(name, words, value, remedy, **more)  # type: ignore[arg-type]


def read(
    name: str, make: Make, value: str, remedy: str, options: str = "", data: str = "folder"
) -> Case:
    """Give a case of images in a folder."""
    parameters = f"threads=1,data.name={data},data.path={{here}}/top{options and chr(44)}{options}"
    words = ("run", "--env", "own", "--pipelines", "data_preparation", "--params", parameters)
    return Case(name, words, value, remedy, make)
