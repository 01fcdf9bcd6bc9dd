"""The prepared data as nodes get it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from torch import Tensor

from sakd.data import DataCard
from sakd.foundation.errors import require
from sakd.foundation.machine import resolve_device
from sakd.study.importing import import_start
from sakd.study.networks import check_network_fits
from sakd.study.parameters import Parameters
from sakd.study.store import CellStore
from sakd.study.train import Bench
from sakd.study.trainings import Lessons
from sakd.weights.saved import Weights

logger = logging.getLogger(__name__)

Parts = Mapping[str, Callable[[], Mapping[str, Tensor]]]
"""Prepared splits by name, each read when called: ``train`` and ``val``, or ``test``."""


def open_bench(
    development: Parts, card: Mapping[str, Any], cells: CellStore, parameters: Parameters
) -> Bench:
    """Where the jobs of a node are run.

    Raises:
        UserError: a network or a method of the grid, of this node or another, cannot take the
            data, or a file of weights that a student starts from does not fit it.
    """
    device, data = resolve_device(parameters.device), DataCard.from_json(card)
    for network in parameters.grid.networks():
        _check_once(network, len(data.classes), data.image_shape)
    for method in parameters.grid.distillers:
        parameters.distillation.check_classes(method, len(data.classes))
    for network in parameters.student_weights:
        student_start(network, data, parameters)
    return Bench(parameters.data.images(development["val"]()), data, cells, device)


_check_once = cache(check_network_fits)


def student_start(network: str, card: DataCard, parameters: Parameters) -> Weights | None:
    """Read the weights that a student starts from; None where it starts from fresh ones.

    Raises:
        UserError: The file cannot be read, or is of another network.
    """
    if (path := parameters.student_weights.get(network)) is None:
        return None
    return import_start(network, card, path, renames=parameters.student_renames)


def describe_start(network: str, start: Weights | None) -> None:
    """Log which tensors come from a file and which are fresh."""
    if start is not None:
        fresh = ", ".join(start.card["fresh"]) or "none"
        count, name = len(start.state), start.card["imported_from"]
        logger.info("%s starts from %d tensors of %s; fresh: %s", network, count, name, fresh)


def lessons(
    development: Parts, card: Mapping[str, Any], parameters: Parameters, *, per_class: int | None
) -> Lessons:
    """What a network learns from: all training images, or so many of each class."""
    train = parameters.data.images(development["train"]())
    return Lessons(train, DataCard.from_json(card), per_class, parameters.data.split_seed)


def check_origin(name: str, sha256: str, card: Mapping[str, Any], pipeline: str) -> None:
    """See that what is called ``name``, made by ``pipeline``, was trained on the data of ``card``.

    Raises:
        UserError: it was trained on data of another hash: other images, or other splits.
    """
    fine = sha256 == card["sha256"]
    require(fine, f"{name} was trained on other data: run --pipelines {pipeline} with these first")
