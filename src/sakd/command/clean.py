"""Remove the trainings that neither the present grid nor its latest report uses."""

from __future__ import annotations

from collections.abc import Sequence

from sakd.command.project import project


def run(arguments: Sequence[str]) -> None:
    """Clean the store of a study; ``--env`` and ``--params`` are those of ``kedro run``."""
    project("cleaning").main(arguments)
