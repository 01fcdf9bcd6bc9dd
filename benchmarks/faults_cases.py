"""Cases of faults: what is done to a study, and what must come of it."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
from faults_damages import CELLS, files_of, harmed
from faults_inside import (
    as_anybody,
    at_file,
    jumping_clock,
    no_files_above,
    no_locks,
    sending,
    short_of_memory,
    spoilt,
)
from faults_study import Study

WAYS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

YEARS = 30 * 365 * 86400

Case = Callable[[Study, np.random.Generator], str]
"""A fault, in a study; gives the complaint, empty if it was survived."""


def asked(number: signal.Signals) -> Case:
    """Give the case of a run that a signal asks to end, in the training of teacher or students."""

    def case(study: Study, draw: np.random.Generator) -> str:
        study.reset(finished=False)
        within, which = str(draw.choice(["/teachers/", "/cells/digits-"])), int(draw.integers(2, 5))
        signals = at_file("checkpoint.pt", sending(number), number=which, within=within)
        if complaint := study.start(inside=signals).stopped(number):
            return complaint
        if not any(study.data.rglob("checkpoint.pt")):
            return "no checkpoint was left"
        return study.complaint()

    return case


def _kill_at(study: Study, name: str) -> str:
    """Have a run from nothing killed just before the second file of this ``name`` is there."""
    study.reset(finished=False)
    run = study.start(inside=at_file(name, sending(signal.SIGKILL), number=2))
    status = run.end()
    return "" if status == -signal.SIGKILL else f"exit status {status}: {run.last_line()}"


def checkpoint(harm: str) -> Case:
    """Give the case of a run that is killed in a training, and damage to its checkpoint."""

    def case(study: Study, draw: np.random.Generator) -> str:
        if complaint := _kill_at(study, "previous.pt"):
            return complaint
        found = study.data.rglob("checkpoint.pt")
        (path,) = (path for path in found if path.parent.suffix != ".partial")
        path.write_bytes(harmed(path.read_bytes(), harm, draw))
        return study.complaint(saying="checkpoint before it")

    return case


def left_lock(study: Study, _draw: np.random.Generator) -> str:
    """A run that is killed leaves the files of its locks, which keep nobody out."""
    if complaint := _kill_at(study, "checkpoint.pt"):
        return complaint
    return study.complaint() if any(study.data.rglob("*.lock")) else "no lock was left"


def full(limit: int, since: str, more: str = "") -> Case:
    """Give the case of a disk that takes no larger files ``since`` a file is there."""

    def case(study: Study, _draw: np.random.Generator) -> str:
        study.reset(finished=False)
        fill = no_files_above(limit)
        run = study.start(inside=at_file(since, fill) if since else fill, more=more)
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
    path.write_bytes(harmed(path.read_bytes(), harm, draw))
    return path


def not_finite(value: float) -> Case:
    """Give the case of a term of this ``value``: it is named with its step, the other cell goes on.

    The cell that has failed is trained by the next run.
    """

    def case(study: Study, _draw: np.random.Generator) -> str:
        study.reset(finished=False)
        run = study.start(inside=spoilt("kd", value))
        complaint = run.not_in_one_line("1 of 2 cells")
        named = [line for line in run.lines() if " failed: " in line]
        fine = len(named) == 1 and "kd" in named[0] and "from step " in named[0]
        return complaint or ("" if fine else f"not named: {named}") or study.complaint()

    return case


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
    teachers = [study.data / place for place in (f"{CELLS}/teachers", "06_models/digits/teachers")]
    deleted = study.conf / "deleted"

    def delete() -> None:
        for folder in teachers:
            shutil.rmtree(folder)
        deleted.touch()

    study.reset(finished=False)
    run = study.start(inside=at_file("checkpoint.pt", delete, within="/cells/digits-"))
    fine = run.end() == 0 or not run.not_in_one_line("")
    if not fine or not deleted.exists():
        return f"deleted: {deleted.exists()}; exit status {run.end()}: {run.last_line()}"
    return study.complaint()


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


def without_locks(code: int) -> Case:
    """Give the case of a file system that has no locks."""

    def case(study: Study, _draw: np.random.Generator) -> str:
        study.reset(finished=False)
        run = study.start(inside=no_locks(code))
        complaint = run.not_in_one_line("cannot lock") or run.not_in_one_line(study.data)
        left = list(study.data.rglob("*.lock"))
        return complaint or (f"left: {left[0]}" if left else study.complaint())

    return case
