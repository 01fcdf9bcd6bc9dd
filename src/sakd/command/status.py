"""Tell what is done of a study, what runs, what failed and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module


def run(arguments: Sequence[str]) -> None:
    """Tell the status of a study; the ``arguments`` are those of ``kedro run`` that choose it."""
    # Named as text: the command belongs to the library, which does without Kedro.
    import_module("sakd.project.status").main(arguments)
