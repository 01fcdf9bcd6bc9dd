"""The objectives, by name, and the way from names to one of them."""

from __future__ import annotations

from sakd.distillers import Distiller
from sakd.distillers.method import Method
from sakd.foundation.tables import Table
from sakd.networks import StagedNetwork
from sakd.objectives.parameters import Distillation, Routing
from sakd.objectives.problem import DataFacts, Problem, System
from sakd.objectives.spot_distillation import JointDistillation, SpotDistillation
from sakd.objectives.supervised import Supervised
from sakd.routing import POLICIES, RoutingPolicy

OBJECTIVES: Table[type[System]] = Table(
    "objective",
    {"supervised": Supervised, "distillation": SpotDistillation, "joint": JointDistillation},
    base=System,
)


def distil(
    student: StagedNetwork,
    teacher: StagedNetwork,
    method: str | type[Distiller] | Method,
    policy: str | type[RoutingPolicy],
    data: DataFacts,
    *,
    distillation: Distillation = Distillation(),
    routing: Routing = Routing(),
) -> System:
    """Build the objective that distils ``teacher`` into ``student``.

    Args:
        student: To be trained, or rebuilt and then trained where a distiller says so; the
            ``network`` of the objective is what comes out.
        teacher: Trained already; it is frozen unless the objective trains it too.
        method: A name in `sakd.distillers.DISTILLERS`, several joined by hyphens,
            ``package.module:Class``, or a class of your own.
        policy: A name in `sakd.routing.POLICIES`, ``package.module:Class``, or a class.
        data: Shapes and labels.
        distillation: Weights of the losses, and which objective is built.
        routing: Training of the policy.

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


def objective_of(problem: Problem) -> System:
    """Build the objective that ``problem`` asks for.

    Raises:
        UserError: There is none of that name, or the two networks cannot be compared.
    """
    kind = OBJECTIVES[problem.distillation.objective]
    kind.check(problem.method)
    return kind.of(problem)
