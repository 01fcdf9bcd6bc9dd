"""Nodes that train students."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sakd.data import Parts
from sakd.pipelines.found import asked_teacher
from sakd.pipelines.images import lessons
from sakd.pipelines.inputs import describe_start, open_bench, student_start
from sakd.pipelines.keys import taught_trainings
from sakd.study.grid import Row
from sakd.study.parameters import Parameters
from sakd.study.store import CellStore
from sakd.study.train import run_trainings
from sakd.training.progress import Progress
from sakd.weights.saved import Weights


def train_row(
    development: Parts,
    card: Mapping[str, Any],
    cells: CellStore,
    row: Row,
    parameters: Parameters,
    teacher: Weights | None = None,
) -> dict[str, Any]:
    """Train every cell of ``row`` that is not done; the test split is not seen here.

    A row whose cells need no teacher has none.

    Returns:
        The record of every cell, by its id.

    Raises:
        UserError: The teacher of these parameters and data has not been trained, the images are of
            others, or the student's starting weights do not fit it.
    """
    images = lessons(development, card, parameters.data)
    if teacher is not None:
        teacher = asked_teacher(parameters.teacher_of(row.teacher), teacher, images, cells)
    trainings = taught_trainings(row, teacher, images, parameters)
    bench = open_bench(development, card, cells, parameters)
    describe_start(row.student, student_start(row.student, bench.val.card, parameters))
    with Progress(row.id, len(trainings)) as progress:
        records = run_trainings(trainings, bench, progress, parameters.pack)
    return {cell.id: asdict(record) for cell, record in zip(row.cells, records, strict=True)}
