"""Tell what is done of a study, what runs, what failed and what is missing."""

from __future__ import annotations

import gc
from collections.abc import Sequence

from sakd.command.project import project


def run(arguments: Sequence[str]) -> None:
    """Tell the status of a study; the ``arguments`` are those of ``kedro run`` that choose it.

    The command makes all trainings of the study, uses each once, and ends with the process. So no
    garbage is collected from here on: to look for it among so many objects takes a third of the
    time.
    """
    gc.disable()
    project("status").main(arguments)
