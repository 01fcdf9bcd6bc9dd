"""Run pipelines, as ``kedro run`` does."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module


def run(arguments: Sequence[str]) -> None:
    """Run what ``kedro run`` runs with these ``arguments``; end with its exit status.

    Raises:
        SystemExit: Always.
    """
    # Named as text: the command belongs to the library, which does without Kedro.
    import_module("sakd.__main__").main(arguments, name="sakd run")
