"""Write the stages of DVC from the grid, or check that they follow it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module


def run(arguments: Sequence[str]) -> None:
    """Write or check the stages of an environment, see ``sakd dvc --help``."""
    # Named as text: the command belongs to the library, which does without Kedro.
    import_module("sakd.project.dvc").main(arguments)
