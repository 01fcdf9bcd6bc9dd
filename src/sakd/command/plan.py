"""Show what a run would train, and about how long that takes here."""

from __future__ import annotations

from collections.abc import Sequence

from sakd.command.project import project


def run(arguments: Sequence[str]) -> None:
    """Plan a run; the ``arguments`` are those of ``kedro run``."""
    project("planning").main(arguments)
