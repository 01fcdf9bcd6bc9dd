"""The place in which nodes train, and the weights that their trainings start from."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from typing import Any

from sakd.data import DataCard, Parts
from sakd.data.splits.restricted import card_of_classes
from sakd.distillers.method import Method
from sakd.pipelines.images import prepared
from sakd.study.bench import Bench
from sakd.study.classes import classes_of
from sakd.study.courses import courses
from sakd.study.importing import import_start, import_weights
from sakd.study.networks import check_network_fits
from sakd.study.parameters import Parameters
from sakd.study.phases import check_phases
from sakd.study.rehearsal import rehearse_systems
from sakd.study.single import check_single
from sakd.study.store import CellStore
from sakd.study.teachers import Teacher
from sakd.study.trackers import TRACKERS
from sakd.weights.saved import Weights

logger = logging.getLogger(__name__)


def open_bench(
    development: Parts, card: Mapping[str, Any], cells: CellStore, parameters: Parameters
) -> Bench:
    """Give the place in which the trainings of a node run.

    Raises:
        UserError: A network or a method of the grid, of this node or another, cannot take the
            data, or a network one image at a time; there are too few epochs for the phases of a
            method; a file of weights that a student starts from does not fit it; or the validation
            images are not those that the parameters ask for.
    """
    device, data = parameters.find_device(), DataCard.from_json(card)
    for network in parameters.grid.networks():
        _check_once(network, len(data.classes), data.image_shape)
    each = {(id(own), course.method): own.distillation for own, course in courses(parameters)}
    for (_, method), distillation in each.items():
        distillation.check_classes(Method.of(method), len(data.classes))
    check_phases(parameters, data)
    check_single(parameters, data)
    rehearse_systems(parameters, data)
    for network in parameters.student_weights:
        student_start(network, data, parameters)
    val = prepared("val", development, card, parameters.data)
    trackers = tuple(TRACKERS[name] for name in parameters.trackers)
    return Bench(val, cells, device, parameters.graph, trackers)


_check_once = cache(check_network_fits)


def student_start(network: str, card: DataCard, parameters: Parameters) -> Weights | None:
    """Read the weights that a student starts from; None where it starts from fresh ones.

    Raises:
        UserError: The file cannot be read, or is of another network.
    """
    if (path := parameters.student_weights.get(network)) is None:
        return None
    return import_start(network, card, path, renames=parameters.student_renames)


def finished_teacher(teacher: Teacher, card: DataCard) -> Weights | None:
    """Read the weights of a finished teacher; None where it is to be trained here.

    Raises:
        UserError: The file cannot be read, or is of another network or other classes.
    """
    if teacher.file is None:
        return None
    return import_weights(
        teacher.network,
        card,
        teacher.file,
        renames=teacher.renames,
        statistics=teacher.statistics,
    )


def teacher_start(teacher: Teacher, card: DataCard) -> Weights | None:
    """Read the weights that a teacher starts from; None where it starts from fresh ones.

    Raises:
        UserError: The file cannot be read, or is of another network.
    """
    if teacher.start is None:
        return None
    known = card_of_classes(card, classes_of(teacher, card)) if teacher.classes else card
    return import_start(teacher.network, known, teacher.start, renames=teacher.renames)


def describe_start(network: str, start: Weights | None) -> None:
    """Log which tensors come from a file and which are fresh."""
    if start is not None:
        fresh = ", ".join(start.card["fresh"]) or "none"
        count, name = len(start.state), start.card["imported_from"]
        logger.info("%s starts from %d tensors of %s; fresh: %s", network, count, name, fresh)
