"""Faults of runs that have processes of their own: none of them may outlive its run."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from faults_inside import Inside, at_file
from faults_running import LONGEST, PAUSE, Running
from faults_study import Study

Case = Callable[[Study, np.random.Generator], str]

Judge = Callable[[Running], str]

RUNNER = "--runner", "ParallelRunner"

ALONE = *RUNNER, "--runner-params", "max_workers=1"
"""One process, for which further nodes wait."""


def in_worker(act: Callable[[], None], *options: str, judge: Judge) -> Case:
    """Give the case of a fault that a process of a parallel run causes in a training.

    Args:
        act: The fault.
        options: Those of the run.
        judge: Says what is wrong with the end of the run, or nothing.
    """

    def case(study: Study, _draw: np.random.Generator) -> str:
        study.reset(finished=False)
        noted = study.conf / "processes"
        noted.mkdir(exist_ok=True)
        run = study.start(*options, inside=_noting(noted, at_file("checkpoint.pt", act, number=2)))
        complaint, forks = judge(run), [int(path.name) for path in noted.iterdir()]
        if complaint or not forks:
            return complaint or "it had no processes"
        if stay := _stay(forks):
            return f"{len(stay)} of {len(forks)} processes stay"
        return study.complaint()

    return case


def asked(number: signal.Signals, *options: str) -> Case:
    """Give the case of a parallel run that a signal asks to end, in a training."""
    return in_worker(
        lambda: os.kill(os.getppid(), number), *options, judge=lambda run: run.stopped(number)
    )


def dead_worker() -> Case:
    """Give the case of a process of a parallel run that is killed in a training."""
    return in_worker(
        lambda: os.kill(os.getpid(), signal.SIGKILL),
        *RUNNER,
        judge=lambda run: run.not_in_one_line("a process of the run was killed"),
    )


def dead_run() -> Case:
    """Give the case of a parallel run that is killed itself while one of its processes trains."""

    def judge(run: Running) -> str:
        status = run.end()
        return "" if status == -signal.SIGKILL else f"exit status {status}: {run.last_line()}"

    return in_worker(lambda: os.kill(os.getppid(), signal.SIGKILL), *RUNNER, judge=judge)


def _noting(folder: Path, then: Inside) -> Inside:
    """Have every process that a run forks leave its number in ``folder``; do something else too."""

    def note() -> None:
        (folder / str(os.getpid())).touch()

    def inside() -> None:
        for path in folder.iterdir():
            path.unlink()
        os.register_at_fork(after_in_child=note)
        then()

    return inside


def _stay(processes: list[int]) -> list[int]:
    """Wait for the end of ``processes``; give those that do not end."""
    end = time.monotonic() + LONGEST
    while (left := [each for each in processes if _runs(each)]) and time.monotonic() < end:
        time.sleep(PAUSE)
    return left


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
