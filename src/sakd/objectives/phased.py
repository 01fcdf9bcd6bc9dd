"""Distillation in phases: several problems of one student, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Self, cast

from torch import Tensor, nn
from torch.optim import Optimizer

from sakd.data import Batch, BatchStream
from sakd.distillers import DISTILLERS, Distiller
from sakd.distillers.method import Method
from sakd.distillers.phases import PhasePlan
from sakd.foundation.errors import require
from sakd.networks import StagedNetwork
from sakd.objectives.assembly import assemble
from sakd.objectives.base import Objective, Pretrainable, StepResult
from sakd.objectives.outputs import Outputs
from sakd.objectives.phases import Phase, spans
from sakd.objectives.players import Player
from sakd.objectives.problem import Buildable, Problem
from sakd.objectives.requests import Request, merged
from sakd.objectives.spot_distillation import SpotDistillation
from sakd.objectives.supervised import Supervised


class Unlabelled(SpotDistillation):
    """Distillation at spots, without the labels."""

    def supervision(
        self, own: Tensor, student: Outputs, taught: Outputs, batch: Batch, labels: Tensor | None
    ) -> dict[str, Tensor]:
        """Give no loss."""
        return {}


class PhasedDistillation(Buildable):
    """Solve the problems into which a distiller divides the training, see `Distiller.phases`.

    In each phase the objective is that of the phase, with a policy and a graft of its own. Stages
    of the student that a phase does not train are frozen and in evaluation mode; after the last
    phase the student stays as that phase had it.

    Attributes:
        problems: The objective of each phase; they share the student and the teacher.
        present: The number of the present phase.
    """

    def __init__(self, plans: Sequence[PhasePlan], problems: Sequence[Objective]) -> None:
        """Solve one of ``problems`` in each phase of ``plans``, and begin with the first."""
        super().__init__()
        self.plans = tuple(plans)
        self.problems = nn.ModuleList(problems)
        self.frozen = tuple(
            f"problems.{number}.{part}"
            for number, problem in enumerate(problems)
            for part in problem.frozen
        )
        self._trainable = {id(p) for p in self.network.parameters() if p.requires_grad}
        self.enter(0)

    present: int = 0

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """Build the objective of each phase.

        Raises:
            UserError: The networks cannot be compared.
        """
        parts = assemble(problem)
        (distiller,) = parts.losses.distillers.values()
        plans = distiller.phases(parts.student.depth)
        return cls(plans, [_objective_of(replace(problem, phase=plan)) for plan in plans])

    @classmethod
    def check(cls, method: Method) -> None:
        """Refuse a method without phases."""
        divided = [kind.phases is not Distiller.phases for kind in method.distillers.values()]
        known = [name for name, kind in DISTILLERS.items() if kind.phases is not Distiller.phases]
        require(
            all(divided) and method.stands_alone,
            f"distillation.objective phased: {method.name!r} has no phases, or does not stand "
            f"alone; distillers for it: {', '.join(known)}",
        )

    @property
    def problem(self) -> Objective:
        """The objective of the present phase."""
        return cast("Objective", self.problems[self.present])

    @property
    def network(self) -> StagedNetwork:
        """The student."""
        return cast("StagedNetwork", self.problem.network)

    @property
    def chooses(self) -> bool:
        """Tell whether a policy decides in the present phase by what it sees."""
        return self.problem.chooses

    def phases(self) -> tuple[Phase, ...]:
        """Name the phases of the plans."""
        return tuple(Phase(plan.name, plan.share) for plan in self.plans)

    def enter(self, phase: int) -> None:
        """Begin the ``phase``: freeze the student's stages that it does not train."""
        self.present = phase
        stages = list(self.network.stage_modules().values())
        trained = self.plans[phase].stages or range(len(stages))
        self.network.rest(set(range(len(stages))).difference(trained))
        wanted = {id(p) for number in trained for p in stages[number].parameters()}
        for parameter in self.network.parameters():
            parameter.requires_grad_(id(parameter) in wanted & self._trainable)

    def players(self) -> dict[str, Player]:
        """Name the players of the present phase."""
        return self.problem.players()

    def watch(self, optimisers: Mapping[str, Optimizer]) -> None:
        """Show the optimisers to the present problem."""
        self.problem.watch(optimisers)

    def arrange(self, batch: Batch) -> Batch:
        """Let the present problem make its batch."""
        return self.problem.arrange(batch)

    def request(self) -> Request | None:
        """Ask for what the problems of all phases need; for nothing in a phase without teacher."""
        if self.problem.request() is None:
            return None
        asked = (problem.request() for problem in self._problems())
        return next(merged(request for request in asked if request is not None))

    def pretrainings(self) -> dict[str, Pretrainable]:
        """Name the trainings that any phase needs first, by phase."""
        return {
            f"{plan.name} {name}": pretraining
            for plan, problem in zip(self.plans, self._problems(), strict=True)
            for name, pretraining in problem.pretrainings().items()
        }

    def begin_epoch(self, epoch: int, epochs: int, stream: BatchStream) -> None:
        """Let the present problem prepare for an epoch, which it counts from its own first one."""
        span = spans(self.phases(), epochs)[self.present]
        self.problem.begin_epoch(epoch - span.start, len(span), stream)

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the losses of the present problem."""
        result: StepResult = self.problem(batch, teacher)
        return result

    def _problems(self) -> list[Objective]:
        return cast("list[Objective]", list(self.problems))


def _objective_of(problem: Problem) -> Objective:
    plan = problem.phase
    if plan is None or not plan.spots:
        return Supervised.of(problem)
    return (SpotDistillation if plan.labels else Unlabelled).of(problem)
