"""Build the systems of a grid for nothing, so that what does not fit is said before training."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from sakd.data import DataCard
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork, build_network
from sakd.networks.ensemble import members_of, parts_of
from sakd.networks.variants import network_of
from sakd.objectives import DataFacts, Distillation, spans
from sakd.routing import POLICIES
from sakd.study.classes import description
from sakd.study.grid import Cell
from sakd.study.networks import described_network
from sakd.study.parameters import Parameters
from sakd.study.sweeps import variants_of
from sakd.study.systems import recipe_of, settings_of
from sakd.systems import SYSTEMS, Partner, Situation
from sakd.training.average import check_names

_fit: set[str] = set()
"""Rehearsals that this process has done: every node of a run asks for them again."""


def rehearse_systems(parameters: Parameters, card: DataCard) -> None:
    """Check that every system of the grid fits its networks, the data and the epochs.

    Raises:
        UserError: One does not.
    """
    for own, cells in variants_of(parameters):
        _rehearse_each([cell for cell in cells if cell.system is not None], own, card)


def _rehearse_each(cells: Iterable[Cell], parameters: Parameters, card: DataCard) -> None:
    for cell in cells:
        given = parameters.systems.get(cell.distiller), parameters.distillation, parameters.routing
        names = cell.teacher, cell.student, cell.distiller, cell.policy
        how = parameters.student, parameters.data.student_per_class, parameters.teacher_variants
        if (key := repr((names, given, card.sha256, how))) in _fit:
            continue
        try:
            _rehearse(cell, parameters, card)
        except UserError as error:
            place = f"system {cell.distiller!r} on {cell.teacher}/{cell.student}"
            raise UserError(f"{place}: {error}") from error
        _fit.add(key)


@torch.random.fork_rng(devices=())
def _rehearse(cell: Cell, parameters: Parameters, card: DataCard) -> None:
    kind = SYSTEMS[cell.distiller]
    recipe = recipe_of(kind, parameters.student)

    def fresh(_number: int, partner: bool) -> StagedNetwork:
        name, count = network_of(cell.teacher) if partner else cell.student, len(card.classes)
        return build_network(name, num_classes=count, image_shape=card.image_shape)

    partner = fresh(0, True)
    if kind.partner.trained:
        known = description(parameters.teacher_of(cell.teacher), card)
        partner = described_network(network_of(cell.teacher), card, known)
    situation = Situation(
        student=fresh(0, False),
        partners=() if kind.partner is Partner.NONE else members_of(partner),
        parts=parts_of(partner),
        data=DataFacts(card.image_shape, _labels(card, parameters.data.student_per_class)),
        fresh=fresh,
        epochs=recipe.epochs,
        distillation=parameters.distillation if kind.distils else Distillation(),
        policy=POLICIES[cell.policy],
        routing=parameters.routing,
    )
    system = kind.of(situation, settings_of(cell.distiller, parameters.systems))
    spans(system.phases(), recipe.epochs)
    if recipe.ema:
        check_names(system)


def _labels(card: DataCard, most: int | None) -> torch.Tensor:
    """Give as many labels of every class as there are training images, or ``most`` of them."""
    counts = [count if most is None else min(count, most) for count in card.counts["train"]]
    return torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
