"""Nodes that train teachers."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sakd.data import Parts
from sakd.foundation.errors import require
from sakd.foundation.vocabulary import DONE
from sakd.pipelines.images import lessons
from sakd.pipelines.inputs import describe_start, finished_teacher, open_bench, teacher_start
from sakd.pipelines.keys import own_training, teacher_key
from sakd.study.bench import Bench
from sakd.study.lessons import Lessons
from sakd.study.parameters import Parameters
from sakd.study.store import CellStore
from sakd.study.teachers import Teacher
from sakd.study.train import run_training
from sakd.training.progress import Progress
from sakd.weights.saved import Weights, load_weights

logger = logging.getLogger(__name__)


def make_teacher(
    development: Parts,
    card: Mapping[str, Any],
    cells: CellStore,
    teacher: Teacher,
    parameters: Parameters,
) -> Weights:
    """Train ``teacher`` on all training images, unless that is done; or read a finished one.

    Before one is trained, the files of all are read, so that a wrong one stops the run early.

    Returns:
        The weights after the last epoch; ``key`` in their card stands for all that they depend on.

    Raises:
        UserError: A network of the grid cannot take the data, a file of weights does not fit, or
            the training failed.
    """
    images = lessons(development, card, parameters.data)
    weights = finished_teacher(teacher, images.card)
    if weights is None:
        for other in map(parameters.teacher_of, parameters.grid.teachers()):
            finished_teacher(other, images.card)
            teacher_start(other, images.card)
        bench = open_bench(development, card, cells, parameters)
        weights = _trained(teacher, images, bench)
    else:
        logger.info("%s: %d tensors read from %s", teacher.name, len(weights.state), teacher.file)
    return replace(weights, card={**weights.card, "key": teacher_key(teacher, images)})


def _trained(teacher: Teacher, images: Lessons, bench: Bench) -> Weights:
    describe_start(teacher.name, teacher_start(teacher, images.card))
    training = own_training(teacher, images)
    with Progress("teacher", 1) as progress:
        record = run_training(training, bench, progress)
    require(record.status == DONE, f"the teacher {teacher.name} failed: {record.error}")
    weights = load_weights(bench.entry(training).last)
    spent = {"seconds": record.seconds, "ended": record.ended}
    return replace(weights, card={**weights.card, **spent})
