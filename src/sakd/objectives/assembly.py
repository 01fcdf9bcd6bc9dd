"""Build the parts of a distillation at spots from its problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sakd.distillers import Distiller, Pair
from sakd.distillers.method import Method
from sakd.foundation.names import file_name
from sakd.networks import StagedNetwork
from sakd.networks.spots import Spot, SpotFamily
from sakd.objectives.compatibility import (
    Shapes,
    check_features,
    check_labels,
    check_order,
    check_shares,
    spots_of,
)
from sakd.objectives.graft import Graft
from sakd.objectives.problem import Problem
from sakd.objectives.router import Router
from sakd.objectives.sensitivities import Sensing
from sakd.routing import POLICIES
from sakd.tasks import CLASSIFICATION, Task


@dataclass(frozen=True)
class Losses:
    """The parts of a student's loss.

    Attributes:
        distillers: The distillers by name; the spots of each are among those of the objective.
        weights: The weight of each distiller.
        ce_weight: The weight of the label loss.
        task: The task that gives the label loss.
    """

    distillers: Mapping[str, Distiller]
    weights: Mapping[str, float]
    ce_weight: float = 1.0
    task: Task = CLASSIFICATION


class Parts(NamedTuple):
    """The arguments of `SpotDistillation`."""

    student: StagedNetwork
    teacher: StagedNetwork
    spots: tuple[Spot, ...]
    losses: Losses
    router: Router


def assemble(problem: Problem) -> Parts:
    """Find the spots of the distillers in both networks; build the distillers and the router.

    Raises:
        UserError: The networks cannot be compared, or the method does not take the policy's shares.
    """
    method, teacher, data = problem.method, problem.teacher, problem.data
    student = rebuilt_student(method, problem.student, teacher, data.image_shape)
    weights = problem.distillation.weights_of(method)
    check_shares(method, weights, problem.policy)
    kinds = {name: method.everyone[name] for name in weights}
    places = {name: spots_of(name, kind, student, teacher) for name, kind in kinds.items()}
    if problem.phase is not None:
        places = dict.fromkeys(kinds, problem.phase.spots)
    logits = SpotFamily.LOGITS.spots(student.depth, teacher.depth)
    spots = tuple(sorted({spot for group in (*places.values(), logits) for spot in group}))
    shapes = Shapes.of(student, teacher, data.image_shape)
    check_labels(data.train_labels, shapes)

    def make(name: str, kind: type[Distiller]) -> Distiller:
        check_features(name, kind, shapes, student, teacher)
        pair = Pair(places[name], *shapes.at(places[name]), data.train_labels)
        return kind(pair, **problem.distillation.options.get(name, {}))

    losses = Losses(
        {file_name(name): make(name, kind) for name, kind in kinds.items()},
        {file_name(name): weight for name, weight in weights.items()},
        problem.distillation.ce_weight_of(method) if problem.phase is None else 1.0,
        data.task,
    )
    if sensing := Sensing(losses.distillers.values(), data.task):
        sensing.check(student, teacher, data.image_shape)
    return Parts(student, teacher, spots, losses, _router(problem, student, spots, shapes))


def rebuilt_student(
    method: Method, student: StagedNetwork, teacher: StagedNetwork, image_shape: tuple[int, ...]
) -> StagedNetwork:
    """Give the network that ``method`` trains: ``student``, or one made of both networks.

    Args:
        method: The method, which may rebuild its student.
        student: The student as it was built.
        teacher: Its teacher.
        image_shape: (C, H, W).

    Raises:
        UserError: The networks have no features that the distiller can use.
    """
    if method.rebuilding is None:
        return student
    shapes = Shapes.of(student, teacher, image_shape)
    for name, kind in method.distillers.items():
        if kind.rebuilding is not None:
            check_features(name, kind, shapes, student, teacher)
    return method.rebuilding.make(student, teacher, image_shape)


def _router(
    problem: Problem, student: StagedNetwork, spots: tuple[Spot, ...], shapes: Shapes
) -> Router:
    teacher, routing = problem.teacher, problem.routing
    widths = shapes.student[-1][0], shapes.teacher[-1][0]
    options: Any = routing.options.get(POLICIES.name_of(problem.policy), {})
    policy = problem.policy(*widths, len(spots), **options)
    if student.family == teacher.family:
        policy.favour_distilling(routing.same_family_bias)
    graft = None
    if policy.trained and policy.grafted:
        check_order(spots, student, teacher)
        graft = Graft(spots, *shapes.at(spots[:-1]))
    gamma = problem.method.gamma if routing.gamma is None else routing.gamma
    return Router(policy, graft, gamma=gamma)
