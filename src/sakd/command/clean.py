"""Remove the trainings that neither the present grid nor its latest report uses."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module


def run(arguments: Sequence[str]) -> None:
    """Clean the store of a study; ``--env`` and ``--params`` are those of ``kedro run``."""
    # Named as text: the command belongs to the library, which does without Kedro.
    import_module("sakd.project.cleaning").main(arguments)
