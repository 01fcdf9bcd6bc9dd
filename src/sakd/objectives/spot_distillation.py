"""Distillation at spots, routed by a policy: plain and spot-adaptive in one objective."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.distillers import Distiller, Side
from sakd.networks import StagedNetwork
from sakd.networks.spots import Spot
from sakd.networks.staged import in_mode
from sakd.objectives.base import Objective, StepResult, label_loss
from sakd.objectives.outputs import Outputs
from sakd.objectives.pretraining import PretrainingObjective
from sakd.objectives.router import Router
from sakd.routing.collapse import GATE_RATE


class SpotDistillation(Objective):
    """Train a student by its labels and by distillers, where the policy says so.

    Song et al., IEEE TIP 2022, arXiv:2205.02399. Two players:
    the ``student`` (with what the distillers train) minimises
    ``ce_weight`` CE + sum_m w_m sum_k (n_k / B) L_m,k over the samples chosen at spot k;
    the ``router`` (policy and adapters, if the policy has parameters) minimises the
    cross-entropy of the graft, see `Router`. Neither loss reaches the other player.
    """

    frozen: ClassVar[tuple[str, ...]] = ("teacher",)

    def __init__(
        self,
        student: StagedNetwork,
        teacher: StagedNetwork,
        *,
        spots: tuple[Spot, ...],
        distillers: Mapping[str, Distiller],
        weights: Mapping[str, float],
        router: Router,
        ce_weight: float = 1.0,
    ) -> None:
        """Put the parts together; `sakd.objectives.distil` makes them from names.

        Args:
            student: trained.
            teacher: frozen, unless the objective trains it too.
            spots: one per decision of the policy, in order of depth; the last is the logits.
            distillers: by name; the spots of each are among ``spots``.
            weights: of each distiller.
            router: the policy, and what trains it.
            ce_weight: of the student's cross-entropy.
        """
        super().__init__()
        self.student = student
        self.teacher = teacher.eval().requires_grad_("teacher" not in self.frozen)
        self.distillers = nn.ModuleDict(distillers)
        self.router = router
        self.spots = spots
        self.weights = dict(weights)
        self.ce_weight = ce_weight

    @property
    def network(self) -> StagedNetwork:
        """The student."""
        return self.student

    def players(self) -> dict[str, list[nn.Parameter]]:
        """Student with distillers, and router if there is one."""
        own = [p for p in self.distillers.parameters() if p.requires_grad]
        parts = [p for p in self.student.parameters() if p.requires_grad]
        players = {"student": [*parts, *own]}
        if parameters := list(self.router.parameters()):
            players["router"] = parameters
        return players

    def pretrainings(self) -> dict[str, PretrainingObjective]:
        """What the distillers have yet to train before the student."""
        plans = {name: (d, d.pretraining()) for name, d in self._distillers().items()}
        return {
            name: PretrainingObjective(self.teacher, distiller, plan)
            for name, (distiller, plan) in plans.items()
            if plan is not None and not plan.done
        }

    def forward(self, batch: Batch) -> StepResult:
        """The losses of one step."""
        teacher = self.teach(batch.images)
        student = self.outputs(self.student, batch.images)
        embeddings = student.embedding.detach(), teacher.embedding.detach()
        route = self.router.policy(*embeddings, batch.draws("policy"))

        supervision = self.supervision(student.logits, teacher.logits, batch)
        knowledge = self.knowledge(student, teacher, batch, route.chosen)
        total = self.ce_weight * torch.stack(list(supervision.values())).sum()
        for name, loss in knowledge.items():
            total = total + self.weights[name] * loss
        losses = {"student": total}
        terms = {**supervision, **knowledge, **self.gate_rates(route.chosen)}
        if self.router.graft is not None and route.gate is not None:
            with in_mode(self.student, training=False), in_mode(self.teacher, training=False):
                reached = self.reached(batch.images, teacher)
                grafted = self.router.graft(
                    self.student, self.teacher, batch.images, reached, route.gate
                )
            both = label_loss(grafted, batch), supervision["cross_entropy"].detach()
            losses["router"] = self.routing_loss(*both, route.gate[:, -1])
            terms["routing"] = losses["router"]
        return StepResult(losses, {name: term.detach() for name, term in terms.items()})

    def outputs(self, network: StagedNetwork, images: Tensor) -> Outputs:
        """What ``network`` gives for ``images`` (B, C, H, W), as the distillers want to see it."""
        side = Side.TEACHER if network is self.teacher else Side.STUDENT
        return Outputs.of(network, images, side, self._distillers().values())

    def teach(self, images: Tensor) -> Outputs:
        """What the teacher gives for ``images`` (B, C, H, W)."""
        with torch.no_grad():
            return self.outputs(self.teacher, images)

    def supervision(self, student: Tensor, _teacher: Tensor, batch: Batch) -> dict[str, Tensor]:
        """By name, what the labels demand of the logits (B, K); ``ce_weight`` weighs it."""
        return {"cross_entropy": label_loss(student, batch)}

    def reached(self, images: Tensor, teacher: Outputs) -> Tensor:
        """The teacher's feature of ``images`` at the first spot, where the graft begins.

        Args:
            images: (B, C, H, W).
            teacher: what `teach` gave for them.
        """
        return teacher.closed[self.spots[0].teacher]

    def routing_loss(self, grafted_ce: Tensor, student_ce: Tensor, gate: Tensor) -> Tensor:
        """What the router minimises, see `Router.loss`."""
        return self.router.loss(grafted_ce, student_ce, gate)

    def knowledge(
        self, student: Outputs, teacher: Outputs, batch: Batch, chosen: Tensor
    ) -> dict[str, Tensor]:
        """Each distiller's loss, unweighted, over all its spots."""

        def loss_of(distiller: Distiller) -> Tensor:
            spots = distiller.pair.spots
            columns = torch.stack([chosen[:, self.spots.index(spot)] for spot in spots], dim=1)
            ours, theirs = student.shown_to(distiller), teacher.shown_to(distiller)
            students = [ours[spot.student] for spot in spots]
            teachers = [theirs[spot.teacher] for spot in spots]
            return distiller.losses(students, teachers, batch, columns)

        return {name: loss_of(distiller) for name, distiller in self._distillers().items()}

    def gate_rates(self, chosen: Tensor) -> dict[str, Tensor]:
        """Share of the batch that distils at each spot: all near 1 or 0 means a collapse.

        A spot has the name of the student's stage, and of the teacher's too where others share it.
        """
        ours, theirs = (
            [*network.stage_names[:-1], "logits"] for network in (self.student, self.teacher)
        )
        stages = [spot.student for spot in self.spots]
        names = [
            ours[s] if stages.count(s) == 1 else f"{ours[s]}-{theirs[t]}" for s, t in self.spots
        ]
        rates = chosen.float().mean(dim=0)
        return {f"{GATE_RATE}{name}": rate for name, rate in zip(names, rates, strict=True)}

    def _distillers(self) -> Mapping[str, Distiller]:
        return cast("Mapping[str, Distiller]", self.distillers)
