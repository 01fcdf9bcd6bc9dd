"""Nodes that train students."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sakd.pipelines.inputs import (
    Parts,
    check_origin,
    describe_start,
    lessons,
    open_bench,
    student_start,
)
from sakd.study.grid import Row
from sakd.study.parameters import Parameters
from sakd.study.store import CellStore
from sakd.study.train import run_training
from sakd.study.trainings import cell_training
from sakd.training.progress import Progress
from sakd.weights.saved import Weights


def train_row(
    development: Parts,
    card: Mapping[str, Any],
    teacher: Weights,
    cells: CellStore,
    row: Row,
    parameters: Parameters,
) -> dict[str, Any]:
    """Train every cell of ``row`` that is not done; the test split is not seen here.

    Raises:
        UserError: The teacher was trained on other data, which may have been test images, or
            the student's starting weights do not fit it.
    """
    check_origin(row.teacher, teacher.card["data"]["sha256"], card, "teacher")
    bench = open_bench(development, card, cells, parameters)
    labelled = lessons(development, card, parameters, per_class=parameters.data.student_per_class)
    recipe = parameters.student_recipe(row.student)
    start = student_start(row.student, bench.card, parameters)
    describe_start(row.student, start)
    records = {}
    with Progress(row.id, len(row.cells)) as progress:
        for cell in row.cells:
            training = cell_training(
                cell,
                teacher,
                labelled,
                recipe,
                distillation=parameters.distillation,
                routing=parameters.routing,
                start=start,
            )
            records[cell.id] = asdict(run_training(training, bench, progress))
            progress.done()
    return records
