"""Nodes that train teachers."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from sakd.data import DataCard
from sakd.foundation.errors import UserError
from sakd.foundation.vocabulary import DONE
from sakd.pipelines.inputs import Parts, describe_start, lessons, open_bench
from sakd.study.importing import import_start, import_weights
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

    A finished teacher is read from its file instead. Before one is trained, the files of all are
    read, so that a wrong one stops the run early.

    Raises:
        UserError: A file of weights does not fit, or the training failed.
    """
    data = DataCard.from_json(card)
    if network in parameters.teacher_weights:
        weights = _finished(network, data, parameters)
        path = parameters.teacher_weights[network]
        logger.info("%s: %d tensors read from %s", network, len(weights.state), path)
        return weights
    for name in parameters.teacher_weights:
        _finished(name, data, parameters)
    starts = {name: _start(name, data, parameters) for name in parameters.teacher_start}
    bench = open_bench(development, card, cells, parameters)
    everything = lessons(development, card, parameters, per_class=None)
    start = starts.get(network)
    describe_start(network, start)
    training = teacher_training(
        network, parameters.teacher_seed, everything, parameters.teacher, start
    )
    with Progress("teacher", 1) as progress:
        record = run_training(training, bench, progress)
    if record.status != DONE:
        raise UserError(f"the teacher {network} failed: {record.error}")
    return load_weights(cells.entry(training.group, training.id, training.key).last)


def _finished(network: str, card: DataCard, parameters: Parameters) -> Weights:
    path = parameters.teacher_weights[network]
    statistics = parameters.teacher_statistics.get(network)
    return import_weights(
        network, card, path, renames=parameters.teacher_renames, statistics=statistics
    )


def _start(network: str, card: DataCard, parameters: Parameters) -> Weights:
    path = parameters.teacher_start[network]
    return import_start(network, card, path, renames=parameters.teacher_renames)
