"""From names to a distillation objective."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from sakd.distillers import DISTILLERS, Distiller, Pair
from sakd.distillers.method import largest_gamma, members
from sakd.networks import StagedNetwork
from sakd.networks.spots import SpotFamily
from sakd.objectives.compatibility import (
    Shapes,
    check_features,
    check_labels,
    check_order,
    spots_of,
)
from sakd.objectives.graft import Graft
from sakd.objectives.joint import JointDistillation
from sakd.objectives.parameters import Distillation, Routing
from sakd.objectives.rebuilt import rebuilt_student
from sakd.objectives.router import Router
from sakd.objectives.spot_distillation import SpotDistillation
from sakd.routing import POLICIES


@dataclass(frozen=True)
class DataFacts:
    """What an objective must know of the data: image shape (C, H, W) and training labels (N,)."""

    image_shape: tuple[int, ...]
    train_labels: Tensor


def distil(
    student: StagedNetwork,
    teacher: StagedNetwork,
    method: str,
    policy: str,
    data: DataFacts,
    *,
    distillation: Distillation = Distillation(),
    routing: Routing = Routing(),
) -> SpotDistillation:
    """The objective that distils ``teacher`` into ``student``.

    Args:
        student: to be trained, or rebuilt and then trained where the distiller says so; the
            ``network`` of the objective is what comes out.
        teacher: trained already; it is frozen, or changes too with ``train_teacher``.
        method: a name in `sakd.distillers.DISTILLERS`, or several joined by hyphens.
        policy: name in `sakd.routing.POLICIES`.
        data: shapes and labels.
        distillation: weights of the losses.
        routing: training of the policy.

    Raises:
        UserError: unknown name, or two networks that cannot be compared.
    """
    student = rebuilt_student(method, student, teacher, data.image_shape)
    weights = distillation.weights_with(method)
    places = {name: spots_of(name, student, teacher) for name in weights}
    logits = SpotFamily.LOGITS.spots(student.depth, teacher.depth)
    spots = tuple(sorted({spot for group in (*places.values(), logits) for spot in group}))
    shapes = Shapes.of(student, teacher, data.image_shape)
    check_labels(data.train_labels, shapes)

    def make(name: str) -> Distiller:
        check_features(name, shapes, student, teacher)
        pair = Pair(places[name], *shapes.at(places[name]), data.train_labels)
        return DISTILLERS[name](pair, **distillation.options.get(name, {}))

    chooser = POLICIES[policy](
        shapes.student[-1][0], shapes.teacher[-1][0], len(spots), **routing.options.get(policy, {})
    )
    if student.family == teacher.family:
        chooser.favour_distilling(routing.same_family_bias)
    graft = None
    if chooser.trained:
        check_order(spots, student, teacher)
        graft = Graft(spots, *shapes.at(spots[:-1]))
    gamma = largest_gamma(members(method)) if routing.gamma is None else routing.gamma
    kind = JointDistillation if distillation.train_teacher else SpotDistillation
    return kind(
        student,
        teacher,
        spots=spots,
        distillers={name: make(name) for name in weights},
        weights=weights,
        router=Router(chooser, graft, gamma=gamma),
        ce_weight=distillation.ce_weight_with(method),
    )
