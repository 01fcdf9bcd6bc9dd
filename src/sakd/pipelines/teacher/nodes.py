"""Nodes that train teachers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sakd.config import Settings
from sakd.errors import UserError
from sakd.jobs import teacher_job
from sakd.pipelines.development import Development, lessons, open_bench
from sakd.runner import run_job
from sakd.store import DONE, CellStore
from sakd.training.progress import Progress
from sakd.weights import Weights, load_weights


def train_teacher(
    development: Development,
    card: Mapping[str, Any],
    cells: CellStore,
    network: str,
    settings: Settings,
) -> Weights:
    """Train ``network`` on all training images, unless that is done; its last epoch's weights."""
    bench = open_bench(development, card, cells, settings)
    everything = lessons(development, card, settings, per_class=None)
    job = teacher_job(network, settings.teacher_seed, everything, settings.teacher)
    with Progress("teacher", 1) as progress:
        record = run_job(job, bench, progress)
    if record.status != DONE:
        raise UserError(f"the teacher {network} failed: {record.error}")
    return load_weights(cells.entry(job.group, job.id, job.key).last)
