"""What a store of 10,000 cells costs: `sakd status`, the registry and the report, without training.

A study of 10 pairs and 30 seeds is made in a folder of its own: 300 rows of 34 cells. Digits are
prepared, teachers have fresh weights, and every cell gets the record that a training would leave.
The report is drawn from made-up accuracies. Times are seconds of processor, children included.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from sakd.data import DataCard
from sakd.data.splits.store import SplitStore
from sakd.foundation.sealing import write_sealed
from sakd.foundation.vocabulary import DONE
from sakd.pipelines.images import lessons
from sakd.pipelines.keys import own_training
from sakd.pipelines.plan import Scope, parts_of
from sakd.reporting import report, report_html
from sakd.study.networks import fresh_network
from sakd.study.parameters import Parameters
from sakd.study.parsing import parse_parameters
from sakd.study.store import CellStore, Entry, Record
from sakd.study.sweeps import cells_of, rows_of
from sakd.study.trainings import Training
from sakd.weights.saved import Weights, save_weights

ROOT = Path(__file__).parents[1]
PAIRS = [
    f"resnet{teacher}/resnet{student}"
    for teacher, student in product((14, 20), (8, 14, 20, 32, 44))
]
GRID: dict[str, Any] = {
    "pairs": PAIRS,
    "distillers": ["kd", "fitnet", "at", "sp", "vid", "rkd", "pkt", "cc", "nst", "ft", "crd"],
    "policies": ["always", "adaptive", "random"],
    "seeds": list(range(30)),
}
LIMITS = {"sakd status": 5, "kedro registry list": 10, "report": 60}
IMAGES = 360


def main() -> None:
    """Make the study, measure, and compare with the limits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where to make it; a temporary folder without")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.folder or Path(temporary)
        parameters = made(folder)
        spent = {name: run(name.split(), folder) for name in ("sakd status", "kedro registry list")}
        spent["report"] = timed(lambda: draw(parameters))
    for name, seconds in spent.items():
        sys.stdout.write(f"{name:20} {seconds:6.1f} s of {LIMITS[name]}\n")


def made(folder: Path) -> Parameters:
    """Make the study in ``folder``, unless it is there, and give its parameters."""
    shutil.copytree(ROOT / "conf", folder / "conf", dirs_exist_ok=True)
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(ROOT / name, folder)
    (folder / "src").mkdir(exist_ok=True)
    given = {"device": "cpu", "threads": 1, "data": {"test_fraction": 0.2}, "grid": GRID}
    raw = {**given, "student": {"epochs": 20}, "teacher": {"epochs": 1}}
    (folder / "conf" / "base" / "parameters.yml").write_text(json.dumps(raw))
    parameters = parse_parameters(raw)
    if not (folder / "data" / "made").exists():
        run(["kedro", "run", "--pipelines", "data_preparation"], folder)
        fill(folder, parameters)
        (folder / "data" / "made").touch()
    return parameters


def fill(folder: Path, parameters: Parameters) -> None:
    """Write the records of all trainings."""
    data = parameters.data.slug
    splits = SplitStore(folder / "data/03_primary" / data)
    store = CellStore(folder / "data/06_models" / data / "cells")
    card = cast("DataCard", splits.card)  # the data were prepared just before
    images = lessons(splits.development, card.to_json(), parameters.data)
    for teacher in map(parameters.teacher_of, parameters.grid.teachers()):
        training = own_training(teacher, images)
        entry = entry_of(training, store)
        entry.folder.mkdir(parents=True, exist_ok=True)
        save_weights(Weights(fresh_network(teacher.network, card).state_dict()), entry.last)
        finish(entry, training)
    given = rows_of(parameters), parameters.grid.teachers()
    scope = Scope(splits.development, card.to_json(), parameters, *given)
    _, pairs = parts_of([scope], store)
    for training in (one for rows in pairs.values() for row in rows for one in row):
        finish(entry_of(training, store), training)


def entry_of(training: Training, store: CellStore) -> Entry:
    """Give the folder of a training."""
    return store.entry(training.group, training.id, training.key)


def finish(entry: Entry, training: Training) -> None:
    """Write the record of a training that has never been."""
    entry.folder.mkdir(parents=True, exist_ok=True)
    done = Record(training.id, training.key, DONE, training.facts, epochs=20, seconds=30.0)
    write_sealed(entry.outcome, asdict(replace(done, ended="2026-01-01T00:00:00+00:00")))


def run(command: Sequence[str], folder: Path) -> float:
    """Run a command in ``folder``; give the processor time that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    path = Path(sys.executable).with_name(command[0])
    subprocess.run(  # noqa: S603 - commands of this project
        [path, *command[1:]], cwd=folder, check=True, stdout=subprocess.DEVNULL
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def timed(step: Callable[[], object]) -> float:
    """Give the processor time of a step."""
    started = time.process_time()
    step()
    return time.process_time() - started


def draw(parameters: Parameters) -> str:
    """Draw the page of the report, from made-up accuracies."""
    draws = np.random.default_rng(0)
    cells = cells_of(parameters)
    levels = 0.9 + draws.normal(0, 0.01, len(cells))
    results = pd.DataFrame(
        [asdict(cell) | {"cell": cell.id, "status": DONE, "epochs": 20} for cell in cells]
    )
    top1 = dict.fromkeys(("val_top1", "test_top1", "test_top1_best"), levels)
    results = results.assign(**top1, teacher_test_top1=0.95, setting="", key=results["cell"])
    epochs = pd.DataFrame({"epoch": range(1, 21)})
    history = results[["cell", "val_top1"]].merge(epochs, how="cross")
    history["cross_entropy"] = 1 / history["epoch"]
    return report_html(report(results, history, predictions=answers(results, draws)))


def answers(results: pd.DataFrame, draws: np.random.Generator) -> pd.DataFrame:
    """Make the answers of all cells to all test images up."""
    images = pd.DataFrame({"image": range(IMAGES), "content": map(str, range(IMAGES)), "label": 0})
    found = results[["cell", "test_top1"]].merge(images, how="cross")
    found["right"] = draws.random(len(found)) < found.pop("test_top1")
    return found.astype({"cell": "category", "content": "category"})


if __name__ == "__main__":
    main()
