"""Distillation at spots, routed by a policy: plain and spot-adaptive in one objective."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Self, cast

import torch
from torch import Tensor, nn

from sakd.data import Batch, BatchStream
from sakd.distillers import Distiller, Epoch, Side
from sakd.foundation.arithmetic import arithmetic_of, without_casts
from sakd.networks import StagedNetwork
from sakd.networks.spots import Spot
from sakd.objectives.assembly import Losses, assemble
from sakd.objectives.base import StepResult
from sakd.objectives.branches import IN_LINE, Branches
from sakd.objectives.looking import features_for
from sakd.objectives.outputs import Outputs, wanted_unrectified
from sakd.objectives.parameters import Routing
from sakd.objectives.players import Optimisation, Player
from sakd.objectives.pretraining import PretrainingObjective
from sakd.objectives.problem import Problem
from sakd.objectives.requests import Request
from sakd.objectives.routed import Lesson, Routed
from sakd.objectives.router import Router
from sakd.objectives.scenes import positions_of, scene_of
from sakd.objectives.sensitivities import Sensing
from sakd.objectives.teaching import FrozenTeacher, Teaching
from sakd.routing.rates import rates_of

ROUTER = Routing().optimisation(Optimisation())
"""The recipe of the router of arXiv:2205.02399 on CIFAR-100."""


class SpotDistillation(Routed):
    """Train a student by its labels, and by distillers where the policy says so.

    Song et al., IEEE TIP 2022, arXiv:2205.02399. Two players:
    the ``student`` (with the modules of the distillers) minimises
    ``ce_weight`` CE + sum_m w_m sum_k (n_k / B) L_m,k over the samples chosen at spot k, where a
    policy that routes labels weighs the samples of the CE too;
    the ``router`` (policy and adapters, if the policy has parameters) minimises the
    cross-entropy of the graft, see `Router`, of the training images or of those set aside, as the
    policy says. Neither loss reaches the other player.
    """

    teaching: Teaching = FrozenTeacher()

    def __init__(
        self,
        student: StagedNetwork,
        teacher: StagedNetwork,
        *,
        spots: tuple[Spot, ...],
        losses: Losses,
        router: Router,
        keep_outputs_mb: int = 0,
    ) -> None:
        """Combine the parts; `sakd.objectives.distil` makes them from names.

        Args:
            student: The network to train.
            teacher: Its teacher, frozen unless it learns too.
            spots: One per decision of the policy, in order of depth; the last is the logits.
            losses: The losses of the student.
            router: The policy, with the graft that trains it.
            keep_outputs_mb: See `sakd.objectives.Distillation`.
        """
        super().__init__()
        learns = self.teaching.learns
        self.frozen = () if learns else ("teacher",)
        self.student = student
        self.teacher = teacher.eval().requires_grad_(learns)
        self.distillers = nn.ModuleDict(losses.distillers)
        self.router = router
        self.spots = spots
        self.weights = dict(losses.weights)
        self.ce_weight = losses.ce_weight
        self.task = losses.task
        self.keep_outputs_mb = keep_outputs_mb
        self.unrectified = wanted_unrectified(losses.distillers.values())
        self.sensing = Sensing(losses.distillers.values(), losses.task)

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """Build the objective; see `sakd.objectives.assembly.assemble`."""
        student, teacher, spots, losses, router = assemble(problem)
        keep = problem.distillation.keep_outputs_mb
        return cls(
            student, teacher, spots=spots, losses=losses, router=router, keep_outputs_mb=keep
        )

    @classmethod
    def changes_teacher(cls) -> bool:
        """Tell whether the teacher learns along with the student."""
        return cls.teaching.learns

    @property
    def network(self) -> StagedNetwork:
        """The student."""
        return self.student

    @property
    def spot_names(self) -> list[str]:
        """The spots' names: the student's stage, and the teacher's where several share it."""
        ours, theirs = (
            [*network.stage_names[:-1], "logits"] for network in (self.student, self.teacher)
        )
        stages = [spot.student for spot in self.spots]
        return [
            ours[s] if stages.count(s) == 1 else f"{ours[s]}-{theirs[t]}" for s, t in self.spots
        ]

    def players(self) -> dict[str, Player]:
        """Name the student, with the distillers, and the router if the policy is trained."""
        learning = (self.student, self.distillers, self.teacher)
        parts = [p for module in learning for p in module.parameters() if p.requires_grad]
        players = {"student": Player(parts)}
        if parameters := list(self.router.parameters()):
            players["router"] = Player(parameters, ROUTER)
        return players

    def request(self) -> Request | None:
        """Ask for what distillers, policy and graft read; a teacher that learns shares nothing."""
        if self.teaching.learns:
            return None
        distillers = self._distillers().values()
        asked = Request.of(self.teacher, distillers, keep_mb=self.keep_outputs_mb)
        policy = self.router.policy
        elsewhere = self.router.graft is None or policy.learns_aside
        reached = () if elsewhere else (self.spots[0].teacher,)
        seen = positions_of(policy.sees, self.task, self.teacher.depth)
        return asked.joined([*seen, *reached])

    def pretrainings(self) -> dict[str, PretrainingObjective]:
        """Name the trainings that distillers need first and that have not been done."""
        plans = {name: (d, d.pretraining()) for name, d in self._distillers().items()}
        return {
            name: PretrainingObjective(
                self.teacher, distiller, plan, keep_outputs_mb=self.keep_outputs_mb
            )
            for name, (distiller, plan) in plans.items()
            if plan is not None and not plan.done
        }

    def begin_epoch(self, epoch: int, epochs: int, stream: BatchStream) -> None:
        """Let the distillers prepare for an epoch."""
        device = torch.device(stream.device)
        run = (self.student, self.teacher, partial(stream.epoch, epoch), arithmetic_of(device))
        with without_casts(device):
            for distiller in self._distillers().values():
                distiller.begin_epoch(Epoch(epoch, epochs, partial(features_for, distiller, *run)))

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the losses of one step."""
        taught = self.teach(batch, teacher)
        student = self.outputs(self.student, batch, Side.STUDENT)
        networks = arithmetic_of(batch.images.device)
        with without_casts(batch.images.device):
            return self._losses(batch, student, taught, networks)

    def _losses(
        self, batch: Batch, student: Outputs, taught: Outputs, networks: torch.autocast
    ) -> StepResult:
        branches = self._branches()
        with branches.branch("router", batch):
            begun = self.begin(batch, networks)
        route = self.router.route(scene_of(self.task, student, taught, batch))
        own = self.task.loss(student.logits, batch)
        lesson = Lesson(batch, student, taught, route, own, begun)
        with branches.branch("router", lesson):
            routing = self.routing(lesson, networks)
        supervision = self.supervision(own, student, taught, batch, route.labels)
        knowledge = self.knowledge(student, taught, batch, route.share)
        total = self.ce_weight * sum(supervision.values(), torch.zeros_like(own))
        for name, loss in knowledge.items():
            total = total + self.weights[name] * loss
        losses = {"student": total}
        terms = {**supervision, **knowledge, **rates_of(route, self.spot_names)}
        if routing is not None:
            losses["router"] = terms["routing"] = routing
        further = self.further(total, taught, batch, route.share)
        losses, terms = losses | further.losses, terms | further.terms
        return StepResult(losses, {name: term.detach() for name, term in terms.items()})

    def _branches(self) -> Branches:
        """Give those of this objective; a subclass may read losses, or run the student again."""
        return self.overlap if type(self) is SpotDistillation else IN_LINE

    def supervision(
        self, own: Tensor, student: Outputs, taught: Outputs, batch: Batch, labels: Tensor | None
    ) -> dict[str, Tensor]:
        """Name the label losses: the student's, ``own`` unless ``labels`` weigh it, and others."""
        if labels is not None:
            own = (labels * self.task.losses(student.logits, batch)).mean()
        return {"cross_entropy": own} | self.teaching.supervision(self.task, taught, batch)

    def further(self, total: Tensor, taught: Outputs, batch: Batch, share: Tensor) -> StepResult:
        """Compute losses of further players, and their terms for the log; there are none here.

        Args:
            total: The student's loss, a scalar; a loss by its name takes its place.
            taught: The teacher's outputs for the batch.
            batch: The images and their labels.
            share: See `Route`.
        """
        return StepResult({}, {})

    def teach(self, batch: Batch, given: Outputs | None = None) -> Outputs:
        """Run the teacher on ``batch`` for what is not ``given``, with gradient if it learns."""
        if self.teaching.learns:
            return self.outputs(self.teacher, batch, Side.TEACHER)
        if given is None:
            wanted = Side.TEACHER in self.unrectified
            with torch.no_grad():
                given = Outputs.of(self.teacher, batch.images, Side.TEACHER, unrectified=wanted)
        if not self.sensing:
            return given
        return given._replace(sensitivities=self.sensing.of_frozen(self.teacher, batch, given))

    def outputs(self, network: StagedNetwork, batch: Batch, side: Side) -> Outputs:
        """Run ``network`` on ``batch`` for the outputs and gradients that distillers compare."""
        unrectified = side in self.unrectified
        if self.sensing:
            return self.sensing.outputs(network, batch, side, unrectified=unrectified)
        return Outputs.of(network, batch.images, side, unrectified=unrectified)

    def knowledge(
        self, student: Outputs, teacher: Outputs, batch: Batch, share: Tensor
    ) -> dict[str, Tensor]:
        """Compute each distiller's unweighted loss over its spots; for ``share`` see `Route`."""

        def loss_of(distiller: Distiller) -> Tensor:
            columns = self.columns(distiller, share)
            ours, theirs = student.shown_to(distiller), teacher.shown_to(distiller)
            return distiller.losses(ours, theirs, batch, columns)

        return {name: loss_of(distiller) for name, distiller in self._distillers().items()}

    def columns(self, distiller: Distiller, share: Tensor) -> Tensor:
        """Pick the columns of ``share`` (B, D) that are of the spots of ``distiller``."""
        return torch.stack([share[:, self.spots.index(at)] for at in distiller.pair.spots], dim=1)

    def _distillers(self) -> Mapping[str, Distiller]:
        return cast("Mapping[str, Distiller]", self.distillers)
