"""Runs that are killed at random moments, and what they were at."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from faults_damages import CELLS, MADE
from faults_study import Study

PHASES = {
    "preparing": "03_primary/digits/card.json",
    "training the teacher": f"{CELLS}/teachers/*/*/record.json",
    "training the students": f"{CELLS}/digits-*/*/*/record.json",
    "evaluating": f"{MADE}/evaluation.csv",
    "reporting": "08_reporting/digits/report.html",
}
"""The phases of a run, in order, and the files that each of them leaves."""

CELLS_OF_THE_STUDY = 2

ENDING, LATE = "ending", "too late, not counted"

MOMENTS = (*PHASES, ENDING, LATE)

KILLS: Counter[str] = Counter()
"""Runs that were killed, by phase, and those that had ended before."""


def phase_of(data: Path) -> str:
    """Tell in which phase a run was, by the files that it has left."""
    for name, pattern in PHASES.items():
        wanted = CELLS_OF_THE_STUDY if "students" in name else 1
        if len([*data.glob(pattern)]) < wanted:
            return name
    return ENDING


def killed(study: Study, draw: np.random.Generator) -> str:
    """SIGKILL at a random moment of a run from nothing, then of the run that goes on.

    Moments are of processor time, so that they fall on all phases however busy the machine is. A
    run that had ended before is not counted, and another is begun.
    """
    first = draw.uniform(0, study.seconds)
    study.reset(finished=False)
    while not _kill(study, first):
        first = draw.uniform(0, study.seconds)
        study.reset(finished=False)
    _kill(study, draw.uniform(0, study.seconds - first))
    return study.complaint()


def _kill(study: Study, moment: float) -> bool:
    hit = study.start().kill_after(moment)
    KILLS[phase_of(study.data) if hit else LATE] += 1
    return hit
