"""Check that there are epochs enough for every phase of every training."""

from __future__ import annotations

from contextlib import suppress

import torch

from sakd.data import DataCard
from sakd.distillers.method import Method
from sakd.foundation.errors import UserError
from sakd.networks.variants import network_of
from sakd.objectives import DataFacts, Objective, Phase, Problem, objective_of, spans
from sakd.routing.always import Always
from sakd.study.networks import sketch
from sakd.study.parameters import Parameters


def check_phases(parameters: Parameters, card: DataCard) -> None:
    """Check that students have epochs enough for the phases of every method of the grid.

    Raises:
        UserError: They have too few.
    """
    pairs = dict.fromkeys((row.teacher, row.student) for row in parameters.grid.rows(card.name))
    divided = [
        name
        for name in parameters.grid.distillers
        if parameters.objective_of(Method.of(name)).phases is not Objective.phases
    ]
    for name in divided:
        for teacher, student in pairs:
            phases = _phases(Method.of(name), student, network_of(teacher), parameters, card)
            try:
                spans(phases, parameters.student.epochs)
            except UserError as error:
                place = f"distiller {name!r} on {teacher}/{student}"
                raise UserError(f"{place}, student.epochs: {error}") from error


@torch.random.fork_rng(devices=())
def _phases(
    method: Method, student: str, teacher: str, parameters: Parameters, card: DataCard
) -> tuple[Phase, ...]:
    """List the phases of a training; none if it cannot be built, and so will fail alone."""
    count = len(card.classes)
    one, other = (sketch(name, count, card.image_shape) for name in (student, teacher))
    data = DataFacts(card.image_shape, torch.arange(count))
    with suppress(UserError):
        problem = Problem(one, other, method, Always, data, parameters.distillation)
        return objective_of(problem).phases()
    return ()
