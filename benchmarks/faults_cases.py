"""Cases of faults: what is done to a study, and what must come of it."""

from __future__ import annotations

import os
import resource
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
from faults_damages import CELLS, DAMAGES, files_of
from faults_inside import as_anybody, jumping_clock, no_locks, short_of_memory
from faults_study import Act, Study

WAYS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
"""The exit status of a run that a signal has ended."""

YEARS = 30 * 365 * 86400

Case = Callable[[Study, np.random.Generator], str]
"""A fault, in a study; gives the complaint, empty if it was survived."""


def sending(number: signal.Signals) -> Act:
    """Send a signal."""
    return lambda process: os.kill(process, number)


def killed(study: Study, draw: np.random.Generator) -> str:
    """SIGKILL at a random moment of a run from nothing, then of the run that goes on."""
    study.reset(finished=False)
    for _ in range(2):
        moment = draw.uniform(0, study.seconds)
        study.start().end(sending(signal.SIGKILL), lambda seconds, moment=moment: seconds > moment)
    return study.complaint()


def asked(number: signal.Signals) -> Case:
    """Give the case of a run that a signal asks to end, in a training."""

    def case(study: Study, _draw: np.random.Generator) -> str:
        study.reset(finished=False)
        run = study.start()
        status = run.end(sending(number), study.has("checkpoint.pt"))
        if status != WAYS[number]:
            return f"exit status {status} instead of {WAYS[number]}: {run.last_line()}"
        if not any(study.data.rglob("checkpoint.pt")):
            return "no checkpoint was left"
        return study.complaint()

    return case


def checkpoint(harm: str) -> Case:
    """Give the case of a run that is killed in a training, and damage to its checkpoint."""

    def case(study: Study, draw: np.random.Generator) -> str:
        study.reset(finished=False)
        study.start().end(sending(signal.SIGKILL), study.has("previous.pt"))
        for path in study.data.rglob("checkpoint.pt"):
            path.write_bytes(DAMAGES[harm](path.read_bytes(), draw))
        return study.complaint()

    return case


def left_lock(study: Study, _draw: np.random.Generator) -> str:
    """A run that is killed leaves the files of its locks, which keep nobody out."""
    study.reset(finished=False)
    study.start().end(sending(signal.SIGKILL), study.has("checkpoint.pt"))
    locks = list(study.data.rglob("*.lock"))
    return study.complaint() if locks else "no lock was left"


def full(limit: int, since: str, more: str = "") -> Case:
    """Give the case of a disk that takes no larger files ``since`` a file is there."""

    def fill(process: int) -> None:
        resource.prlimit(process, resource.RLIMIT_FSIZE, (limit, limit))

    def case(study: Study, _draw: np.random.Generator) -> str:
        study.reset(finished=False)
        run = study.start(more=more)
        run.end(fill, study.has(since) if since else None)
        return run.not_in_one_line(study.data) or study.complaint()

    return case


def read_only(folder: str) -> Case:
    """Give the case of a ``folder`` in which nothing may be made, and a grid with one more cell."""

    def case(study: Study, _draw: np.random.Generator) -> str:
        place = study.data / folder
        place.chmod(0o555)
        run = study.start(inside=as_anybody, more="grid.seeds=0+1")
        complaint = run.not_in_one_line(study.data)
        place.chmod(0o755)
        return complaint or study.complaint(others=True)

    return case


def damaged(kind: str, harm: str) -> Case:
    """Give the case of damage to one file of a kind, before a whole run."""

    def case(study: Study, draw: np.random.Generator) -> str:
        _damage(study, draw, kind, harm)
        return study.complaint()

    return case


def alone(kind: str, stage: str, *, served: bool) -> Case:
    """Give the case of damage to a file that a stage reads, which is then run by itself.

    Args:
        kind: The kind of the file.
        stage: The stage.
        served: Whether it can do without the file.
    """

    def case(study: Study, draw: np.random.Generator) -> str:
        path = _damage(study, draw, kind, "a flipped bit")
        run = study.start(stage=stage)
        if run.end() == 0:
            return study.difference()
        return f"{path.name}: {run.last_line()}" if served else run.not_in_one_line("")

    return case


def _damage(study: Study, draw: np.random.Generator, kind: str, harm: str) -> Path:
    found = files_of(study.data, kind)
    path = found[int(draw.integers(len(found)))]
    path.write_bytes(DAMAGES[harm](path.read_bytes(), draw))
    return path


def nothing_finite(study: Study, _draw: np.random.Generator) -> str:
    """A training that diverges is named with term and step; the other of its row goes on."""
    study.reset(finished=False)
    run = study.start(more="distillation.weights.kd=1e38")
    run.end()
    named = [line for line in run.lines() if " failed: " in line]
    fine = len(named) == 1 and "kd" in named[0] and "from step " in named[0]
    return run.not_in_one_line("1 of 2 cells") or ("" if fine else f"not named: {named}")


def too_little_memory(study: Study, _draw: np.random.Generator) -> str:
    """Two cells have no memory side by side: the pack halves itself and goes on."""
    study.reset(finished=False)
    run = study.start(inside=short_of_memory)
    if status := run.end():
        return f"exit status {status}: {run.last_line()}"
    if not any("out of memory with 2 side by side" in line for line in run.lines()):
        return "the memory was enough"
    return study.complaint()


def no_teacher(study: Study, _draw: np.random.Generator) -> str:
    """The files of the teacher are deleted while its students are trained."""

    def delete(_process: int) -> None:
        for folder in (f"{CELLS}/teachers", "06_models/digits/teachers"):
            shutil.rmtree(study.data / folder)

    def begun(_seconds: float) -> bool:
        return any((study.data / CELLS).glob("digits-*/*/*/checkpoint.pt"))

    study.reset(finished=False)
    run = study.start()
    fine = run.end(delete, begun) == 0 or not run.not_in_one_line("")
    return study.complaint() if fine else f"exit status {run.end()}: {run.last_line()}"


def jumps(study: Study, _draw: np.random.Generator) -> str:
    """The clock jumps by days whenever a run looks at it, from nothing to the end."""
    study.reset(finished=False)
    run = study.start(inside=jumping_clock)
    if status := run.end():
        return f"exit status {status}: {run.last_line()}"
    return study.complaint()


def other_times(years: int) -> Case:
    """Give the case of files that were written ``years`` from now, before a whole run."""

    def case(study: Study, _draw: np.random.Generator) -> str:
        for path in study.data.rglob("*"):
            moment = path.stat().st_mtime + years * YEARS
            os.utime(path, (moment, moment))
        return study.complaint()

    return case


def same_row(study: Study, _draw: np.random.Generator) -> str:
    """Two runs of one row, at once: one is refused in one line, or both end well."""
    study.reset(finished=False)
    runs = [study.start(), study.start()]
    statuses = [run.end() for run in runs]
    complaints = [run.not_in_one_line("another run is ") for run in runs if run.end()]
    if 0 not in statuses or any(complaints):
        return f"exit statuses {statuses}: {'; '.join(complaints)}"
    return study.complaint()


def other_settings(study: Study, _draw: np.random.Generator) -> str:
    """Two runs of other settings share the folder of data, at once: each has its own results."""
    study.reset(finished=False)
    changed = "teacher.epochs=2,student.epochs=2"
    runs = [study.start(), study.start(more=changed)]
    statuses = [run.end() for run in runs]
    if any(statuses):
        complaints = [run.not_in_one_line("another run is ") for run in runs if run.end()]
        return "; ".join(filter(None, complaints)) or study.complaint(others=True)
    again = study.start(more=changed)
    again.end()
    if runs[0].accuracies() != study.accuracies or runs[1].accuracies() != again.accuracies():
        return f"other results: {[run.accuracies() for run in (*runs, again)]}"
    return study.complaint(others=True)


def without_locks(code: int) -> Case:
    """Give the case of a file system that has no locks."""

    def case(study: Study, _draw: np.random.Generator) -> str:
        study.reset(finished=False)
        run = study.start(inside=no_locks(code))
        complaint = run.not_in_one_line("cannot lock") or run.not_in_one_line(study.data)
        left = list(study.data.rglob("*.lock"))
        return complaint or (f"left: {left[0]}" if left else study.complaint())

    return case


def dead_worker(study: Study, _draw: np.random.Generator) -> str:
    """A process of a parallel run is killed in a training; none of the others stays."""

    def children(process: int) -> list[int]:
        listed = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        return [pid for child in map(int, listed) for pid in (child, *children(child))]

    workers: list[int] = []

    def kill(process: int) -> None:
        workers.extend(children(process))
        os.kill(workers[-1], signal.SIGKILL)

    study.reset(finished=False)
    run = study.start("--runner", "ParallelRunner")
    status = run.end(kill, study.has("checkpoint.pt"))
    stay = [worker for worker in workers if Path(f"/proc/{worker}").exists()]
    if not workers or stay:
        return f"workers: {workers}, of which stay: {stay}"
    line = run.last_line()  # workers that are ended while they wait may show where they were
    fine = status == 1 and line.startswith("Error: a process of the run was killed")
    return study.complaint() if fine else f"exit status {status}: {line}"
