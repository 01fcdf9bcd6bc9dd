"""Nodes that train teachers."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from sakd.data import Parts
from sakd.foundation.errors import UserError, require
from sakd.foundation.vocabulary import DONE
from sakd.pipelines.found import asked_teacher, read_teacher
from sakd.pipelines.images import lessons
from sakd.pipelines.inputs import describe_start, finished_teacher, open_bench, teacher_start
from sakd.pipelines.keys import own_training
from sakd.study.bench import Bench
from sakd.study.lessons import Lessons
from sakd.study.parameters import Parameters
from sakd.study.store import CellStore
from sakd.study.teachers import Teacher
from sakd.study.train import run_training
from sakd.training.progress import Progress
from sakd.weights.saved import Weights

logger = logging.getLogger(__name__)


def make_teacher(
    development: Parts,
    card: Mapping[str, Any],
    cells: CellStore,
    teacher: Teacher,
    parameters: Parameters,
    *needed: Weights,
) -> Weights:
    """Train ``teacher`` on all training images, unless that is done; or read or join finished ones.

    Before one is trained, the files of all are read, so that a wrong one stops the run early.

    Args:
        development: The images to train and to validate on.
        card: Of the data.
        cells: Where trainings are kept.
        teacher: Where the weights come from.
        parameters: All of them.
        needed: The weights of its own teacher, or of those that it stands for.

    Returns:
        The weights after the last epoch, see `sakd.pipelines.found.read_teacher`.

    Raises:
        UserError: A network of the grid cannot take the data, a file of weights does not fit, the
            weights of another teacher are of other parameters, or the training failed.
    """
    images = lessons(development, card, parameters.data)
    above = [
        asked_teacher(other, made, images, cells)
        for other, made in zip(teacher.needs, needed, strict=True)
    ]
    if teacher.trained:
        for other in map(parameters.teacher_of, parameters.grid.teachers()):
            finished_teacher(other, images.card)
            teacher_start(other, images.card)
        _train(teacher, images, open_bench(development, card, cells, parameters), *above)
    weights = read_teacher(teacher, images, cells)
    if weights is None:
        raise UserError(f"the files of the teacher {teacher.name} are gone: run again")
    if teacher.file is not None:
        logger.info("%s: %d tensors read from %s", teacher.name, len(weights.state), teacher.file)
    return weights


def _train(teacher: Teacher, images: Lessons, bench: Bench, *taught_by: Weights) -> None:
    describe_start(teacher.name, teacher_start(teacher, images.card))
    training = own_training(teacher, images, *taught_by)
    with Progress("teacher", 1) as progress:
        record = run_training(training, bench, progress)
    require(record.status == DONE, f"the teacher {teacher.name} failed: {record.error}")
