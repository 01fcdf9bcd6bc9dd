"""Routing among teachers: for each sample, at each spot, one of several teachers or none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self, cast

import torch
from torch import Tensor, nn

from sakd.data import Batch, BatchStream
from sakd.distillers import Side
from sakd.distillers.method import Method
from sakd.foundation.arithmetic import arithmetic_of, without_casts
from sakd.foundation.errors import require
from sakd.networks import StagedNetwork
from sakd.networks.staged import in_mode
from sakd.objectives import (
    Decisive,
    Outputs,
    Player,
    Pretrainable,
    Problem,
    Router,
    Settings,
    SpotDistillation,
    StepResult,
)
from sakd.objectives.outputs import full_precision
from sakd.objectives.spot_distillation import ROUTER
from sakd.routing import Route
from sakd.routing.always import Always
from sakd.routing.rates import rates_of
from sakd.systems.base import Partner, Situation, System
from sakd.systems.parts.choosing import check_stages, graft_of, policy_of, scene_among
from sakd.systems.parts.grafts import Grafts
from sakd.systems.parts.teachers import shapes_of


@dataclass(frozen=True, kw_only=True)
class AmongSettings(Settings):
    """The settings of `Among`.

    Attributes:
        method: The distillers that compare the student with each teacher, as in `grid.distillers`.
    """

    method: str = "at"

    def __post_init__(self) -> None:
        """Refuse distillers that cannot compare one student with several teachers."""
        method = Method.of(self.method)
        kinds = method.everyone.values()
        fine = not method.stands_alone and all(kind.objective is None for kind in kinds)
        require(
            fine and method.rebuilding is None,
            f"method {self.method!r} rebuilds the student, or trains it in a way of its own, for "
            "one teacher: take another, such as at or fitnet",
        )


class Among(Decisive, System[AmongSettings]):
    """Let a policy choose, per sample and spot, the teacher to learn from, or none.

    Proposed here: spot-adaptive distillation (arXiv:2205.02399) with M teachers. The ``student``
    minimises ce_weight CE + sum_m sum_i w_i sum_k (n_mk / B) L_mik / n over the distillers i and
    the n_mk samples that learn from teacher m at spot k; n is the most teachers of a sample at a
    spot: 1 for policies that choose one, M for the policy ``always``, which so takes their mean.
    The ``router`` (policy and adapters) minimises the cross-entropy of the graft with all teachers,
    see `Grafts`; SAKD's penalty, see `Router.loss`, counts the samples with any teacher at the
    logits. The policy sees the embeddings of the student and of all teachers. Neither loss reaches
    the other player. With one teacher it would be `SpotDistillation`.
    Controls are the policies ``random``, ``random_matched`` (as often from every teacher as the
    trained policy), ``always``, and plain distillation from the best teacher alone.

    Attributes:
        lessons: The distillation from each teacher, without a policy of its own.
    """

    partner = Partner.TEACHERS
    settings = AmongSettings
    distils = True
    routable = True

    def __init__(
        self, lessons: Sequence[SpotDistillation], router: Router, grafts: Grafts | None
    ) -> None:
        """Let ``router`` choose among ``lessons`` of one student.

        Args:
            lessons: One per teacher, with spots at the same stages of the student.
            router: The policy among the teachers.
            grafts: What trains the policy, if anything.
        """
        super().__init__()
        self.student = lessons[0].student
        self.lessons = nn.ModuleList(lessons)
        self.router = router
        self.grafts = grafts
        self.frozen = tuple(f"lessons.{number}.teacher" for number in range(len(lessons)))
        self.task, self.ce_weight = lessons[0].task, lessons[0].ce_weight
        self.weights = lessons[0].weights

    @classmethod
    def named(cls, settings: AmongSettings) -> Iterable[object]:
        """Name the distillers."""
        return Method.of(settings.method).everyone.values()

    @classmethod
    def of(cls, situation: Situation, settings: AmongSettings) -> Self:
        """Compare the student of ``situation`` with each of its partners.

        Raises:
            UserError: There are fewer than two teachers, the networks cannot be compared, or the
                policy cannot choose among teachers.
        """
        shapes, method = shapes_of(situation), Method.of(settings.method)
        problem = Problem(
            situation.student,
            situation.partners[0],
            method,
            Always,
            situation.data,
            situation.distillation.suited(method),
        )
        lessons = [
            SpotDistillation.of(replace(problem, teacher=teacher)) for teacher in situation.partners
        ]
        check_stages(lessons)
        policy = policy_of(situation, shapes, len(lessons[0].spots))
        grafts = None
        if policy.trained:
            pairs = zip(lessons, shapes, strict=True)
            grafts = Grafts([graft_of(lesson, shape) for lesson, shape in pairs])
        gamma = situation.routing.gamma
        gamma = method.gamma if gamma is None else gamma
        return cls(lessons, Router(policy, gamma=gamma), grafts)

    @property
    def network(self) -> StagedNetwork:
        """The student."""
        return self.student

    @property
    def spot_names(self) -> list[str]:
        """The spots' names, each with the number of every teacher in the pair, from 1."""
        teachers = range(1, len(self.lessons) + 1)
        return [f"{spot}-teacher{m}" for spot in self._each()[0].spot_names for m in teachers]

    def players(self) -> dict[str, Player]:
        """Name the student, with all distillers, and the router if the policy is trained."""
        players = {"student": Player.of(self.student, *(one.distillers for one in self._each()))}
        if self.grafts is not None:
            router = Player.of(self.router, self.grafts)
            players["router"] = router._replace(optimisation=ROUTER)
        return players

    def pretrainings(self) -> Mapping[str, Pretrainable]:
        """Name the trainings that distillers need first, by teacher."""
        return {
            f"teacher{number} {name}": pretraining
            for number, lesson in enumerate(self._each(), start=1)
            for name, pretraining in lesson.pretrainings().items()
        }

    def begin_epoch(self, epoch: int, epochs: int, stream: BatchStream) -> None:
        """Let all distillers prepare for an epoch."""
        for lesson in self._each():
            lesson.begin_epoch(epoch, epochs, stream)

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the losses of ``batch``; ``teacher`` is ignored, for there are several."""
        taught = [lesson.teach(batch) for lesson in self._each()]
        student = self._each()[0].outputs(self.student, batch, Side.STUDENT)
        networks = arithmetic_of(batch.images.device)
        with without_casts(batch.images.device):
            route = self.router.route(scene_among(self.task, student, taught, batch))
            own = self.task.loss(student.logits, batch)
            knowledge = self.knowledge(batch, student, taught, route)
            total = self.ce_weight * own
            for name, loss in knowledge.items():
                total = total + self.weights[name] * loss
            losses = {"student": total}
            terms = {"cross_entropy": own, **knowledge, **rates_of(route, self.spot_names)}
            if self.grafts is not None and route.gate is not None:
                losses["router"] = terms["routing"] = self.routing(
                    self.grafts, batch, taught, route.gate, own.detach(), networks
                )
        return StepResult(losses, {name: term.detach() for name, term in terms.items()})

    def knowledge(
        self, batch: Batch, student: Outputs, taught: Sequence[Outputs], route: Route
    ) -> dict[str, Tensor]:
        """Compute each distiller's unweighted loss, summed over the teachers that were chosen."""
        shares = self.by_teacher(route.share)
        each = [
            lesson.knowledge(student, outputs, batch, share)
            for lesson, outputs, share in zip(self._each(), taught, shares, strict=True)
        ]
        most = self.router.policy.at_once
        return {name: torch.stack([one[name] for one in each]).sum() / most for name in each[0]}

    def by_teacher(self, columns: Tensor) -> tuple[Tensor, ...]:
        """Split the columns (B, D) of a route into those of each teacher, (B, spots)."""
        return columns.view(len(columns), -1, len(self.lessons)).unbind(dim=2)

    def routing(
        self,
        grafts: Grafts,
        batch: Batch,
        taught: Sequence[Outputs],
        gate: Tensor,
        own: Tensor,
        networks: torch.autocast,
    ) -> Tensor:
        """Compute the loss of the router, a scalar.

        Args:
            grafts: Run the networks as the gate says.
            batch: The images and their labels.
            taught: The outputs of each teacher.
            gate: The decisions (B, D).
            own: The student's label loss, without gradient.
            networks: The arithmetic in which networks run.
        """
        gates = torch.stack(self.by_teacher(gate), dim=2)
        teachers = [lesson.teacher for lesson in self._each()]
        reached = [
            outputs.closed[lesson.spots[0].teacher]
            for lesson, outputs in zip(self._each(), taught, strict=True)
        ]
        with networks, in_mode(self.student, training=False):
            logits = grafts(self.student, teachers, batch.images, reached, gates)
        grafted = self.task.loss(full_precision([logits])[0], batch)
        return self.router.loss(grafted, own, gates[:, -1].sum(dim=1))

    def _each(self) -> list[SpotDistillation]:
        return cast("list[SpotDistillation]", list(self.lessons))
