"""Kill runs of a small study, damage its files, fill its disk; compare the reruns to the bit.

Every case starts from a copy of a finished study, or from nothing, and ends with a whole run, whose
weights, histories, decisions and answers must be those of a run that nothing has disturbed.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # or a copy of this process would wait for its threads

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from zlib import crc32

import numpy as np
from faults_damages import DAMAGES, KEPT, files_of
from faults_study import Study

WAYS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
"""The exit status of a run that a signal has ended."""

LIMITS = (2_000, 20_000, 60_000, 200_000)
"""Sizes of files in bytes beyond which the system refuses to write, as on a full disk."""

ALONE = {"tables between stages": "report", "copies of teachers": "students", "records": "evaluate"}
"""Kinds of files, and a stage that reads them when it is run by itself."""

Case = Callable[[Study, np.random.Generator], str]
"""A fault, in a study; gives the complaint, empty if it was survived."""


def killed(study: Study, draw: np.random.Generator) -> str:
    """SIGKILL at a random moment of a run from nothing, then of the run that goes on."""
    study.reset(finished=False)
    for _ in range(2):
        moment = draw.uniform(0, study.seconds)
        study.run(signal.SIGKILL, when=lambda seconds, moment=moment: seconds > moment)
    return study.complaint()


def asked(number: signal.Signals) -> Case:
    """Give the case of a run that a signal asks to end, in a training."""

    def case(study: Study, _draw: np.random.Generator) -> str:
        study.reset(finished=False)
        status = study.run(number, when=study.has("checkpoint.pt"))
        if status != WAYS[number]:
            return f"exit status {status} instead of {WAYS[number]}: {study.last_line()}"
        return study.complaint()

    return case


def checkpoint(harm: str) -> Case:
    """Give the case of a run that is killed in a training, and damage to its checkpoint."""

    def case(study: Study, draw: np.random.Generator) -> str:
        study.reset(finished=False)
        study.run(signal.SIGKILL, when=study.has("previous.pt"))
        for path in study.data.rglob("checkpoint.pt"):
            path.write_bytes(DAMAGES[harm](path.read_bytes(), draw))
        return study.complaint()

    return case


def full(limit: int) -> Case:
    """Give the case of a disk that takes no larger files."""

    def case(study: Study, _draw: np.random.Generator) -> str:
        study.reset(finished=False)
        status = study.run(limit=limit)
        line = study.last_line()
        if status != 1 or not line.startswith("Error: ") or str(study.data) not in line:
            return f"exit status {status}, and not one line with the file: {line}"
        return study.complaint()

    return case


def damaged(kind: str, harm: str) -> Case:
    """Give the case of damage to one file of a kind, before a whole run."""

    def case(study: Study, draw: np.random.Generator) -> str:
        _damage(study, draw, kind, harm)
        return study.complaint()

    return case


def alone(kind: str, stage: str) -> Case:
    """Give the case of damage to a file that a stage reads, which is then run by itself."""

    def case(study: Study, draw: np.random.Generator) -> str:
        path = _damage(study, draw, kind, "a flipped bit")
        status, line = study.run(stage=stage), study.last_line()
        if status and not (status == 1 and line.startswith("Error: ")):
            return f"exit status {status} after damage to {path.name}: {line}"
        return "" if status else study.difference()

    return case


def _damage(study: Study, draw: np.random.Generator, kind: str, harm: str) -> Path:
    found = files_of(study.data, kind)
    path = found[int(draw.integers(len(found)))]
    path.write_bytes(DAMAGES[harm](path.read_bytes(), draw))
    return path


def nothing_finite(study: Study, _draw: np.random.Generator) -> str:
    """A training that diverges is named, and ends the run with 1; another study is untouched."""
    status = study.run(more="student_lr.resnet8=1e30")
    named = [line for line in study.lines() if " failed: " in line]
    if status != 1 or not named:
        return f"exit status {status}: {study.last_line()}"
    return study.complaint()


def cases(kills: int) -> Iterator[tuple[str, Case]]:
    """Yield the cases by name."""
    for harm in DAMAGES:
        yield f"{harm}: checkpoints", checkpoint(harm)
        for kind in KEPT:
            yield f"{harm}: {kind}", damaged(kind, harm)
    for kind, stage in ALONE.items():
        yield f"{stage} alone: {kind}", alone(kind, stage)
    for number in WAYS:
        yield number.name, asked(number)
    for limit in LIMITS:
        yield f"no file above {limit} bytes", full(limit)
    yield "a learning rate of 1e30", nothing_finite
    for number in range(kills):
        yield f"SIGKILL {number + 1}", killed


def main() -> int:
    """Run the cases, print a line for each and the counts; give 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30, help="runs that are killed")
    parser.add_argument("--minutes", type=float, default=15, help="start no case after these")
    parser.add_argument("--seed", type=int, default=0, help="of moments and places")
    parser.add_argument("--only", default="", help="cases whose names have this in them")
    given = parser.parse_args()
    end, counts = time.monotonic() + 60 * given.minutes, {"passed": 0, "failed": 0, "left out": 0}
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        study = Study(Path(folder))
        study.prepare()
        for name, case in cases(given.kills):
            if given.only not in name:
                continue
            if time.monotonic() > end:
                counts["left out"] += 1
                continue
            study.reset()
            complaint = case(study, np.random.default_rng([given.seed, crc32(name.encode())]))
            counts["failed" if complaint else "passed"] += 1
            print(f"{name}: {complaint or 'passed'}", flush=True)
    if counts["left out"]:
        print(f"{counts['left out']} cases were left out, as {given.minutes:g} minutes were over")
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    return min(1, counts["failed"])


if __name__ == "__main__":
    sys.exit(main())
