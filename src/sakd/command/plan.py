"""Show what a run would train, and about how long that takes here."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module


def run(arguments: Sequence[str]) -> None:
    """Plan a run; the ``arguments`` are those of ``kedro run``."""
    # Named as text: the command belongs to the library, which does without Kedro.
    import_module("sakd.project.planning").main(arguments)
