"""The plan of a study, before its run and after it."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from sakd.distillers import DISTILLERS

pytestmark = pytest.mark.slow

CELLS = 1 + 2 * len(DISTILLERS)
BEFORE = f"{CELLS} cells: 0 done, {CELLS} to do, 1 teacher to train; about "


def plan(project: Any, *options: str) -> list[str]:
    done = project.sakd("plan", "--env", "smoke", *options)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_before_the_run_everything_is_to_do_and_nothing_is_touched(fresh: Any) -> None:
    before = fresh.files()
    assert plan(fresh)[-1].startswith(BEFORE)
    assert fresh.files() == before


def test_the_run_says_the_same_before_it_trains(first: Any) -> None:
    lines = first.stdout.splitlines()
    (told,) = (number for number, line in enumerate(lines) if BEFORE in line)
    assert all("epoch" not in line for line in lines[:told])
    assert any("epoch" in line for line in lines[told:])


def test_after_the_run_nothing_is_to_do_but_what_is_lost(later: Any) -> None:
    assert plan(later)[-1] == f"{CELLS} cells: all done"
    (lost,) = later.cells.glob("digits-resnet20-resnet8-s0/*-kd-adaptive-s0")
    shutil.rmtree(lost)
    said = f"{CELLS} cells: {CELLS - 1} done, 1 to do; about "
    assert plan(later)[-1].startswith(said)
    assert plan(later, "--params", "grid.distillers=at")[-1] == "3 cells: all done"
