"""Kill runs of a small study, damage its files, fill its disk; compare the reruns to the bit.

Every case starts from a copy of a finished study, or from nothing, and ends with a whole run, whose
weights, histories, decisions and answers must be those of a run that nothing has disturbed.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # or a copy of this process would wait for its threads

import argparse
import errno
import math
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from zlib import crc32

import faults_cases as of
import faults_parallel as parallel
import faults_two as two
import numpy as np
from faults_damages import CELLS, DAMAGES, KEPT
from faults_kills import KILLS, MOMENTS, killed
from faults_shares import shared_out
from faults_study import Study

NO_CHECKPOINTS = ",".join(
    f"{role}.checkpoint_seconds=60,{role}.checkpoint_steps=0" for role in ("teacher", "student")
)

FULL = {
    "preparing": (2_000, ""),
    "checkpointing": (20_000, "checkpoint.pt"),
    "saving": (20_000, "card.json", NO_CHECKPOINTS),
    "reporting": (2_000, "evaluation.csv"),
}
"""Sizes in bytes of files that a full disk no longer takes, since when, with which parameters."""

ALONE = {
    "tables between stages": ("report", False),
    "copies of teachers": ("students", True),
    "records": ("evaluate", False),
}
"""Kinds of files, a stage that reads them when it is run by itself, and can it do without."""

READ_ONLY = {"cells": CELLS, "tables": "07_model_output/digits", "reports": "08_reporting"}


def rare() -> Iterator[tuple[str, of.Case]]:
    """Yield the cases of all faults but kills and damage, by name."""
    for number in of.WAYS:
        yield number.name, of.asked(number)
    for moment, how in FULL.items():
        yield f"disk full while {moment}", of.full(*how)
    for name, folder in READ_ONLY.items():
        yield f"read-only folder: {name}", of.read_only(folder)
    for code in (errno.ENOLCK, errno.ENOTSUP):
        yield f"no locks: {errno.errorcode[code]}", of.without_locks(code)
    yield "a lock left by a killed run", of.left_lock
    for value in (math.nan, math.inf):
        yield f"not finite: {value}", of.not_finite(value)
    yield "out of memory", of.too_little_memory
    yield "teacher deleted", of.no_teacher
    yield "clock jumps", of.jumps
    yield "files of the past", of.other_times(-1)
    yield "files of the future", of.other_times(1)
    yield "two runs on one row", two.same_row
    yield "two runs with other settings", two.other_settings
    yield "worker death", parallel.dead_worker()
    yield "death of a parallel run", parallel.dead_run()
    for number in of.WAYS:
        yield f"{number.name} of a parallel run", parallel.asked(number, *parallel.RUNNER)
    yield "SIGTERM of a parallel run, more to do", parallel.asked(signal.SIGTERM, *parallel.ALONE)


def cases(kills: int) -> Iterator[tuple[str, of.Case]]:
    """Yield all cases by name."""
    yield from rare()
    for number in range(kills):
        yield f"SIGKILL {number + 1}", killed
    for kind, (stage, served) in ALONE.items():
        yield f"{stage} alone: {kind}", of.alone(kind, stage, served=served)
    for harm in DAMAGES:
        yield f"{harm}: checkpoints", of.checkpoint(harm)
        for kind in KEPT:
            yield f"{harm}: {kind}", of.damaged(kind, harm)


def tried(case: of.Case, study: Study, seed: list[int]) -> str:
    """Try a case on the finished study; give its complaint, or the error that it ended with."""
    study.reset()
    try:
        return case(study, np.random.default_rng(seed))
    except Exception as error:  # the other cases go on
        return f"{type(error).__name__}: {error}"


def try_all(chosen: Mapping[str, of.Case], seed: int, end: float) -> Counter[str]:
    """Try cases on a study of their own until ``end``; print a line for each, and count."""
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        study = Study(Path(folder))
        study.prepare()
        for name, case in chosen.items():
            if time.monotonic() > end:
                counts["left out"] += 1
                continue
            complaint = tried(case, study, [seed, crc32(name.encode())])
            counts["failed" if complaint else "passed"] += 1
            print(f"{name}: {complaint or 'passed'}", flush=True)
        study.reset()
    return counts + KILLS


def main() -> int:
    """Run the cases, print a line for each and the counts; give 1 if one failed or was left out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30, help="runs that are killed")
    parser.add_argument("--minutes", type=float, default=15, help="start no case after these")
    parser.add_argument("--seed", type=int, default=0, help="of moments and places")
    parser.add_argument("--jobs", type=int, default=2, help="cases at the same time")
    parser.add_argument("--only", default="", help="cases whose names have this in them")
    parser.add_argument("--list", action="store_true", help="name the cases, and run none")
    given = parser.parse_args()
    chosen = {name: case for name, case in cases(given.kills) if given.only in name}
    if given.list or not chosen:
        print("\n".join(chosen) or f"no case has {given.only!r} in its name; --list names all")
        return int(not chosen)
    end = time.monotonic() + 60 * given.minutes

    def work(names: Sequence[str]) -> Counter[str]:
        return try_all({name: chosen[name] for name in names}, given.seed, end)

    counts = shared_out([*chosen], work, max(1, given.jobs))
    if counts["left out"]:
        after = f"{given.minutes:g} minutes were over: give more with --minutes"
        print(f"{counts['left out']} cases were left out, as {after}")
    if kills := ", ".join(f"{counts[name]} {name}" for name in MOMENTS if counts[name]):
        print(f"SIGKILLs: {kills}")
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    return int(counts["failed"] + counts["left out"] > 0)


if __name__ == "__main__":
    sys.exit(main())
