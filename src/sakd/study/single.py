"""Batches of one image, of which some batch norms cannot take statistics."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from sakd.data import DataCard
from sakd.foundation.errors import UserError
from sakd.networks import build_network
from sakd.study.failures import of_one_image
from sakd.study.parameters import Parameters
from sakd.study.sweeps import variants_of


def check_single(parameters: Parameters, card: DataCard) -> None:
    """Check that networks that are trained image by image have batch norms of several positions.

    Only a ``batch_size`` of 1 gives batches of one image: a rest of one joins the batch before.

    Raises:
        UserError: One has a batch norm where maps have one position.
    """
    for place, network in dict.fromkeys(_one_by_one(parameters)):
        try:
            _learn_from_one(network, card)
        except ValueError as error:
            if (refused := of_one_image(error)) is None:
                raise
            raise UserError(f"{place} of {network}: {refused}") from error


def _one_by_one(parameters: Parameters) -> Iterator[tuple[str, str]]:
    for own, cells in variants_of(parameters):
        if own.student.batch_size == 1:
            yield from (("student.batch_size 1", cell.student) for cell in cells)
    for teacher in map(parameters.teacher_of, parameters.grid.teachers()):
        for one in (teacher, *teacher.members):
            if one.recipe.batch_size == 1 and one.file is None and not one.members:
                yield "teacher.batch_size 1", one.network


@torch.random.fork_rng(devices=())
def _learn_from_one(name: str, card: DataCard) -> None:
    network = build_network(name, num_classes=len(card.classes), image_shape=card.image_shape)
    with torch.no_grad():
        network.train()(torch.zeros(1, *card.image_shape))
