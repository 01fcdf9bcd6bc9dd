"""Distillation whose comparisons are weighted by their gain for the labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from sakd.data import Batch
from sakd.distillers import Side
from sakd.distillers.method import Method
from sakd.distillers.parts.outer import OuterTrained
from sakd.foundation.errors import require
from sakd.objectives.adam import AdamOptimisation
from sakd.objectives.base import StepResult
from sakd.objectives.outputs import Outputs
from sakd.objectives.players import Player
from sakd.objectives.problem import Problem
from sakd.objectives.spot_distillation import SpotDistillation
from sakd.objectives.virtual import Descent, Trail, check_trail, with_gradients
from sakd.routing.rates import transfer_rates

META_DECAY = 1e-4


class MetaDistillation(SpotDistillation):
    """Train a student as `SpotDistillation` does, and what it compares by an outer loss.

    Jang et al., ICML 2019, arXiv:1905.05901. The player ``meta`` has the parameters that weigh the
    comparisons of an `OuterTrained` distiller. Each step computes where its own update of the
    student will lead, then ``steps`` steps by the distiller's loss alone and one by the
    cross-entropy alone, all on the same batch and by the student's optimiser, with its rate,
    momentum and weight decay as they are. The loss of ``meta`` is the cross-entropy at the end;
    its gradient goes back through all steps but the update. The student's loss does not reach it.
    None of these steps is taken: the next step begins after the update, and running statistics
    are those of the update's forward pass. So it is in the authors' code where the student is put
    back after each step (``rollback``).
    The steps are computed in full precision whatever the training's is, and are never compiled.
    """

    _optimiser: Optimizer | None = None

    @classmethod
    def check(cls, method: Method) -> None:
        """Refuse a method in which not exactly one distiller is trained by an outer loss."""
        found = [n for n, kind in method.distillers.items() if issubclass(kind, OuterTrained)]
        require(
            len(found) == 1,
            f"distillation.objective meta: {method.name!r} has {len(found)} distillers that it "
            "trains, and must have one: leave the objective out, and l2tww brings it",
        )

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """Build the objective, see `SpotDistillation.of`.

        Raises:
            UserError: The distiller that the outer loss trains has no weight, or the student's
                network cannot be differentiated twice.
        """
        weights = problem.distillation.weights_of(problem.method)
        for name, kind in problem.method.distillers.items():
            require(
                not issubclass(kind, OuterTrained) or name in weights,
                f"distillation.weights.{name} is 0, so distillation.objective meta has nothing to "
                "train: leave one of the two out",
            )
        objective = super().of(problem)
        check_trail(objective.student, problem.data.image_shape)
        return objective

    def players(self) -> dict[str, Player]:
        """Name the players of `SpotDistillation`, and ``meta``."""
        players, (_, learnt) = super().players(), self._learnt()
        weighing = list(learnt.choice.parameters())
        held = set(weighing)
        rest = [p for p in players["student"].parameters if p not in held]
        recipe = AdamOptimisation(lr=learnt.lr, weight_decay=META_DECAY)
        return {**players, "student": Player(rest), "meta": Player(weighing, recipe)}

    def watch(self, optimisers: Mapping[str, Optimizer]) -> None:
        """Read from the student's optimiser how it moves.

        Raises:
            UserError: It is not SGD.
        """
        self._optimiser = optimisers["student"]
        Descent.of(self._optimiser, [])

    def further(self, total: Tensor, taught: Outputs, batch: Batch, share: Tensor) -> StepResult:
        """Compute the outer loss; and the student's with the gradients that it needed for that."""
        name, learnt = self._learnt()
        teachers, columns = taught.shown_to(learnt), self.columns(learnt, share)
        weights = learnt.choice(teachers)

        def matching() -> Tensor:
            unrectified = Side.STUDENT in learnt.unrectified
            student = Outputs.of(self.student, batch.images, Side.STUDENT, unrectified=unrectified)
            loss = learnt.matching(student.shown_to(learnt), teachers, columns, weights)
            return self.weights[name] * loss

        def labels() -> Tensor:
            return self.task.loss(self.student(batch.images), batch)

        parameters = self.players()["student"].parameters
        gradients = torch.autograd.grad(total, parameters, allow_unused=True)
        trail = self._trail(learnt, dict(zip(parameters, gradients, strict=True)))
        for _ in range(learnt.steps):
            trail.follow(matching)
        trail.follow(labels)
        losses = {"student": with_gradients(total, parameters, gradients), "meta": trail.at(labels)}
        strengths = learnt.strengths([each.detach() for each in weights])
        names = [self._pair_name(*spot) for spot in learnt.compared()]
        return StepResult(losses, {"outer": losses["meta"], **transfer_rates(strengths, names)})

    def _trail(
        self, learnt: OuterTrained, gradients: Mapping[nn.Parameter, Tensor | None]
    ) -> Trail:
        """Start after the student's own update, by its ``gradients``."""
        module = nn.ModuleDict({"student": self.student, "learnt": learnt})
        moved = [p for p in module.parameters() if p in gradients]
        if self._optimiser is None:
            descent = Descent.first(self.players()["student"].optimisation, moved)
        else:
            descent = Descent.of(self._optimiser, moved)
        trail = Trail(module, moved, descent)
        trail.go([gradients[p] for p in moved])
        return trail

    def _learnt(self) -> tuple[str, OuterTrained]:
        """Give the distiller that is trained by the outer loss, and its name."""
        found = self._distillers().items()
        return next((name, one) for name, one in found if isinstance(one, OuterTrained))

    def _pair_name(self, student: int, teacher: int) -> str:
        return f"{self.student.stage_names[student]}-{self.teacher.stage_names[teacher]}"
