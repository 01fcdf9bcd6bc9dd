"""Checks that methods, policies and pairs fit each other, cell by cell of a grid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sakd.distillers.method import Method
from sakd.foundation.errors import require
from sakd.networks.paths import split_pair
from sakd.objectives import check_shares
from sakd.objectives.build import check_mixing
from sakd.routing import POLICIES
from sakd.study.classes import check_lessons
from sakd.study.fitting import takes_part
from sakd.study.grid import Cell
from sakd.study.parameters import Parameters
from sakd.study.systems import check_system


def check_cells(parameters: Parameters, cells: Sequence[Cell]) -> None:
    """Check that ``cells`` can be trained by ``parameters``, before there is any data.

    Raises:
        UserError: A method, a policy or a pair does not fit, or an option does not.
    """
    distilled = [cell for cell in cells if not cell.alone and cell.system is None]
    for name in dict.fromkeys(cell.distiller for cell in distilled):
        method = Method.of(name)
        parameters.objective_of(method).check(method)
        objective = parameters.distillation.suited(method).objective
        check_mixing(objective, parameters.student.augment)
        for policy in dict.fromkeys(cell.policy for cell in distilled if cell.distiller == name):
            weights = parameters.distillation.weights_of(method)
            check_shares(method, weights, POLICIES[policy])
    check_lessons(parameters, cells)
    grid = parameters.grid
    for name in grid.systems:
        some = any(takes_part(name, split_pair(pair)[0]) for pair in grid.pairs)
        own = _pairs(cell for cell in cells if cell.distiller == name)
        check_system(name, grid.policies, own if some else grid.pairs)
    parameters.student.augment.check(streamed=parameters.data.streamed)
    _check_aside(parameters, dict.fromkeys(cell.policy for cell in cells if not cell.alone))


def _pairs(cells: Iterable[Cell]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f"{cell.teacher}/{cell.student}" for cell in cells))


def _check_aside(parameters: Parameters, policies: Iterable[str]) -> None:
    """Check that there are images for policies that learn from images set aside."""
    for policy in policies:
        require(
            parameters.data.set_aside > 0 or not POLICIES[policy].learns_aside,
            f"policy {policy!r} learns from images set aside, and data.set_aside is 0: set it to "
            "a share of the training images, such as 0.1, or leave the policy out",
        )
