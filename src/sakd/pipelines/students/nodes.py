"""Nodes that train students."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sakd.pipelines.inputs import Parts, check_origin, lessons, open_bench
from sakd.study.grid import Row
from sakd.study.parameters import Settings
from sakd.study.store import CellStore
from sakd.study.train import run_job
from sakd.study.trainings import cell_job
from sakd.training.progress import Progress
from sakd.weights.saved import Weights


def train_row(
    development: Parts,
    card: Mapping[str, Any],
    teacher: Weights,
    cells: CellStore,
    row: Row,
    settings: Settings,
) -> dict[str, Any]:
    """Train every cell of ``row`` that is not done; the test split is not seen here.

    Raises:
        UserError: the teacher was trained on other data, which may have been test images.
    """
    check_origin(row.teacher, teacher.card["data"]["sha256"], card, "teacher")
    bench = open_bench(development, card, cells, settings)
    labelled = lessons(development, card, settings, per_class=settings.data.student_per_class)
    training = settings.student_training(row.student)
    records = {}
    with Progress(row.id, len(row.cells)) as progress:
        for cell in row.cells:
            job = cell_job(
                cell,
                teacher,
                labelled,
                training,
                distillation=settings.distillation,
                routing=settings.routing,
            )
            records[cell.id] = asdict(run_job(job, bench, progress))
            progress.done()
    return records
