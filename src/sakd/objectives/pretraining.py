"""The training that a distiller needs on the teacher before the student is trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from sakd.data import Batch
from sakd.distillers import Distiller, Pretraining, Side
from sakd.networks import StagedNetwork
from sakd.objectives.base import Pretrainable, StepResult
from sakd.objectives.outputs import Outputs
from sakd.objectives.players import Optimisation, Player
from sakd.objectives.requests import Request


class PretrainingObjective(Pretrainable):
    """Solve a distiller's `Pretraining` on the features of a frozen teacher; one player."""

    frozen = ("teacher",)

    def __init__(
        self,
        teacher: StagedNetwork,
        distiller: Distiller,
        plan: Pretraining,
        *,
        keep_outputs_mb: int = 0,
    ) -> None:
        """Train ``plan.module`` on the features of ``teacher`` that ``distiller`` compares."""
        super().__init__()
        self.teacher = teacher
        self.module = plan.module
        self.plan = plan
        self.epochs = plan.epochs
        self.asked = Request.of(teacher, [distiller], keep_mb=keep_outputs_mb)
        self.unrectified = Side.TEACHER in distiller.unrectified
        self.depths = tuple(spot.teacher for spot in distiller.pair.spots)

    @property
    def network(self) -> nn.Module:
        """The module that is trained."""
        return self.module

    def players(self) -> dict[str, Player]:
        """Name one player: the module's parameters, with the recipe of the plan."""
        plan = self.plan
        recipe = Optimisation(plan.lr, plan.momentum, plan.weight_decay, milestones=())
        return {"pretraining": Player(list(self.module.parameters()), recipe)}

    def request(self) -> Request:
        """Ask for the features that the distiller compares."""
        return self.asked

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the plan's loss."""
        taught = self.request().outputs(batch.images) if teacher is None else teacher
        shown = taught.unrectified if self.unrectified else taught.closed
        loss = self.plan.loss([shown[depth] for depth in self.depths], batch)
        return StepResult({"pretraining": loss}, {"pretraining": loss.detach()})

    @contextmanager
    def thawed(self) -> Iterator[None]:
        """Let the module be trained meanwhile; mark it as trained unless an error occurs."""
        self.module.requires_grad_(True)
        try:
            yield
            self.plan.done.fill_(True)
        finally:
            self.module.requires_grad_(False)
