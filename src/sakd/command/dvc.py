"""Write the stages of DVC from the grid, or check that they follow it."""

from __future__ import annotations

from collections.abc import Sequence

from sakd.command.project import project


def run(arguments: Sequence[str]) -> None:
    """Write or check the stages of an environment, see ``sakd dvc --help``."""
    project("dvc").main(arguments)
