"""Build objectives from the names of their parts."""

from __future__ import annotations

from dataclasses import replace

from sakd.data import Augment
from sakd.distillers import Distiller
from sakd.distillers.method import Method
from sakd.foundation.errors import require
from sakd.foundation.tables import Table
from sakd.networks import StagedNetwork
from sakd.objectives.joint import JointDistillation
from sakd.objectives.meta import MetaDistillation
from sakd.objectives.parameters import Distillation, Routing
from sakd.objectives.phased import PhasedDistillation
from sakd.objectives.problem import Buildable, DataFacts, Problem
from sakd.objectives.spot_distillation import SpotDistillation
from sakd.objectives.supervised import Supervised
from sakd.objectives.unix import Unix
from sakd.routing import POLICIES, RoutingPolicy

OBJECTIVES: Table[type[Buildable]] = Table(
    "objective",
    {
        "supervised": Supervised,
        "distillation": SpotDistillation,
        "joint": JointDistillation,
        "unix": Unix,
        "meta": MetaDistillation,
        "phased": PhasedDistillation,
    },
    base=Buildable,
)
"""The objectives by name, or `package.module:Class` for one of your own."""


def distil(
    student: StagedNetwork,
    teacher: StagedNetwork,
    method: str | type[Distiller] | Method,
    policy: str | type[RoutingPolicy],
    data: DataFacts,
    *,
    distillation: Distillation = Distillation(),
    routing: Routing = Routing(),
) -> Buildable:
    """Build the objective that distils ``teacher`` into ``student``.

    Args:
        student: The network to train. A distiller may rebuild it first; the ``network`` of the
            objective is the one that is trained.
        teacher: A trained network; it is frozen unless the objective trains it too.
        method: A name in `sakd.distillers.DISTILLERS`, several joined by hyphens,
            ``package.module:Class``, or a class of your own.
        policy: A name in `sakd.routing.POLICIES`, ``package.module:Class``, or a class.
        data: The shape of the images, and the labels.
        distillation: The objective to build, and the weights of its losses.
        routing: How the policy is trained.

    Raises:
        UserError: A name is unknown, or the two networks cannot be compared.
    """
    return objective_of(
        Problem(
            student,
            teacher,
            Method.of(method),
            POLICIES[policy] if isinstance(policy, str) else policy,
            data,
            distillation,
            routing,
        )
    )


def objective_of(problem: Problem) -> Buildable:
    """Build the objective that ``problem`` asks for.

    Raises:
        UserError: The objective is unknown, or does not fit the method, or the two networks cannot
            be compared.
    """
    distillation = problem.distillation.suited(problem.method)
    kind = OBJECTIVES[distillation.objective]
    kind.check(problem.method)
    return kind.of(replace(problem, distillation=distillation))


def check_mixing(objective: str, augment: Augment) -> None:
    """Check that images are not mixed both by their stream and by the ``objective`` of that name.

    Raises:
        UserError: They are.
    """
    for name, value in {"mixup": augment.mixup, "cutmix": augment.cutmix}.items():
        require(
            not (value and OBJECTIVES[objective].mixes),
            f"student.augment.{name} is {value}, but distillation.objective {objective!r} mixes "
            "the images itself: set it to 0, or take another objective",
        )
