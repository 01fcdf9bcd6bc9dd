"""Tell what is done of a study, what runs, what failed and what is missing."""

from __future__ import annotations

import gc
from collections.abc import Sequence

from sakd.command.project import project


def run(arguments: Sequence[str]) -> None:
    """Tell the status of a study; the ``arguments`` are those of ``kedro run`` that choose it.

    The command makes all trainings of the study, uses each once, and ends. So no garbage is
    collected meanwhile: to look for it among so many objects takes a third of the time.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        project("status").main(arguments)
    finally:
        if collects:
            gc.enable()
