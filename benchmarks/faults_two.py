"""Two runs that share a folder of data: the first stops itself while the second runs."""

from __future__ import annotations

import os
import signal

import numpy as np
from faults_inside import at_file, sending
from faults_running import Running
from faults_study import Study


def _paused(study: Study) -> Running | None:
    """Start a run from nothing that stops while it trains its teacher; None if it never stops."""
    study.reset(finished=False)
    pause = at_file("checkpoint.pt", sending(signal.SIGSTOP), number=2, within="/teachers/")
    run = study.start(inside=pause)
    return run if run.stops() else None


def same_row(study: Study, _draw: np.random.Generator) -> str:
    """While a run trains for a row, another run of this row is refused in one line."""
    if (first := _paused(study)) is None:
        return "the first did not stop"
    complaint = study.start().not_in_one_line("another run is training")
    os.kill(first.process, signal.SIGCONT)
    if status := first.end():
        return f"the first ended with {status}: {first.last_line()}"
    return complaint or study.complaint()


def other_settings(study: Study, _draw: np.random.Generator) -> str:
    """While a run trains, one of other settings shares its data: each has its own results."""
    if (first := _paused(study)) is None:
        return "the first did not stop"
    changed = "teacher.epochs=2,student.epochs=2"
    second = study.start(more=changed)
    statuses = [second.end()]
    os.kill(first.process, signal.SIGCONT)
    again = study.start(more=changed) if not first.end() else first
    statuses += [first.end(), again.end()]
    found = [run.accuracies() for run in (first, second, again)]
    if (
        any(statuses)
        or found[0] != study.accuracies
        or found[1] != found[2]
        or found[1] == found[0]
    ):
        return f"exit statuses {statuses}, results {found}"
    return study.complaint(others=True)
