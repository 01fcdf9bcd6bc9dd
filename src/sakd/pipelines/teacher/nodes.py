"""Nodes that train teachers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sakd.data import DataCard
from sakd.foundation.errors import UserError
from sakd.pipelines.inputs import Parts, lessons, open_bench
from sakd.study.importing import import_weights
from sakd.study.parameters import Settings
from sakd.study.store import DONE, CellStore
from sakd.study.train import run_job
from sakd.study.trainings import teacher_job
from sakd.training.progress import Progress
from sakd.weights.saved import Weights, load_weights


def train_teacher(
    development: Parts,
    card: Mapping[str, Any],
    cells: CellStore,
    network: str,
    settings: Settings,
) -> Weights:
    """Train ``network`` on all training images, unless that is done; its last epoch's weights.

    Where a file of its weights is named, they are read from that instead.
    """
    if (path := settings.teacher_weights.get(network)) is not None:
        return import_weights(
            network,
            DataCard.from_json(card),
            path,
            renames=settings.teacher_renames,
            statistics=settings.teacher_statistics.get(network),
        )
    bench = open_bench(development, card, cells, settings)
    everything = lessons(development, card, settings, per_class=None)
    job = teacher_job(network, settings.teacher_seed, everything, settings.teacher)
    with Progress("teacher", 1) as progress:
        record = run_job(job, bench, progress)
    if record.status != DONE:
        raise UserError(f"the teacher {network} failed: {record.error}")
    return load_weights(cells.entry(job.group, job.id, job.key).last)
