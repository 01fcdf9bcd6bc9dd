"""Nodes that train teachers."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from sakd.data import DataCard
from sakd.foundation.errors import UserError
from sakd.foundation.vocabulary import DONE
from sakd.pipelines.inputs import Parts, lessons, open_bench
from sakd.study.importing import import_weights
from sakd.study.parameters import Parameters
from sakd.study.store import CellStore
from sakd.study.train import run_training
from sakd.study.trainings import teacher_training
from sakd.training.progress import Progress
from sakd.weights.saved import Weights, load_weights

logger = logging.getLogger(__name__)


def train_teacher(
    development: Parts,
    card: Mapping[str, Any],
    cells: CellStore,
    network: str,
    parameters: Parameters,
) -> Weights:
    """Train ``network`` on all training images, unless that is done; its last epoch's weights.

    Where a file of its weights is named, they are read from that instead.
    """
    if (path := parameters.teacher_weights.get(network)) is not None:
        weights = import_weights(
            network,
            DataCard.from_json(card),
            path,
            renames=parameters.teacher_renames,
            statistics=parameters.teacher_statistics.get(network),
        )
        logger.info("%s: %d tensors read from %s", network, len(weights.state), path)
        return weights
    bench = open_bench(development, card, cells, parameters)
    everything = lessons(development, card, parameters, per_class=None)
    training = teacher_training(network, parameters.teacher_seed, everything, parameters.teacher)
    with Progress("teacher", 1) as progress:
        record = run_training(training, bench, progress)
    if record.status != DONE:
        raise UserError(f"the teacher {network} failed: {record.error}")
    return load_weights(cells.entry(training.group, training.id, training.key).last)
