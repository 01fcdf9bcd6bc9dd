"""Collaborative teaching: a teacher that learns beside the student, and a trained one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.distillers import Pair, Side
from sakd.distillers.at import AttentionTransfer
from sakd.foundation.arithmetic import without_casts
from sakd.foundation.errors import require_not_negative, require_positive
from sakd.networks import StagedNetwork
from sakd.objectives import Outputs, Player, Request, Settings, StepResult
from sakd.objectives.compatibility import Shapes, check_features, spots_of
from sakd.objectives.outputs import full_precision
from sakd.systems.base import Partner, Situation, System
from sakd.systems.parts.divergence import divergence
from sakd.systems.parts.peers import check_classes, learner, terms_of

PEER = "peer1"


@dataclass(frozen=True, kw_only=True)
class CollaborativeSettings(Settings):
    """The settings of `CTKD`; the defaults are those of `kd` and `at` here.

    Attributes:
        weight: The weight of the divergence from the teacher that learns.
        temperature: T.
        attention: The weight of the attention of the trained teacher.
    """

    weight: float = 1.0
    temperature: float = 4.0
    attention: float = AttentionTransfer.weight

    def __post_init__(self) -> None:
        """Check the numbers."""
        require_not_negative(weight=self.weight, attention=self.attention)
        require_positive(temperature=self.temperature)


class CTKD(System[CollaborativeSettings]):
    """A student of two teachers: one that starts with it, and an expert that is trained already.

    Zhao et al., 2019, arXiv:1907.09643. The first, a fresh network of the expert's kind, is a
    player that learns from the labels alone. The student minimises
    CE(z_s, y) + weight T^2 KL(p_t || p_s) + attention sum_k AT_k, p = softmax(z / T), where p_t of
    the first is given, and AT_k compares the attention maps of the expert at every stage, as in
    `AttentionTransfer`. The formula follows descriptions of the method; its paper was not compared.
    """

    partner = Partner.TEACHER
    settings = CollaborativeSettings
    frozen = ("expert",)

    def __init__(
        self,
        situation: Situation,
        scratch: StagedNetwork,
        how: CollaborativeSettings = CollaborativeSettings(),
    ) -> None:
        """Let the student of ``situation`` learn from ``scratch`` and from its trained partner.

        Raises:
            UserError: The networks have no maps to compare, or other classes.
        """
        super().__init__()
        (expert,) = situation.partners
        check_classes(situation, [expert, scratch])
        self.student = situation.student
        self.scratch = scratch
        self.expert = expert.eval().requires_grad_(False)
        self.attention = attention_of(situation, expert)
        self.task = situation.data.task
        self.how = how
        self.keep_outputs_mb = situation.distillation.keep_outputs_mb

    @classmethod
    def of(cls, situation: Situation, settings: CollaborativeSettings) -> Self:
        """Give the student a second teacher, fresh and of the kind of its partner."""
        return cls(situation, situation.fresh(1, True), settings)

    @property
    def network(self) -> StagedNetwork:
        """The student."""
        return self.student

    def further_networks(self) -> dict[str, nn.Module]:
        """Name the teacher that learns."""
        return {PEER: self.scratch}

    def players(self) -> dict[str, Player]:
        """Name the student and the teacher that learns, which learns as the student does."""
        return {"student": learner("student", self.student), PEER: learner(PEER, self.scratch)}

    def request(self) -> Request:
        """Ask for the expert's maps."""
        return Request.of(self.expert, [self.attention], keep_mb=self.keep_outputs_mb)

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the losses of both players on ``batch``."""
        taught = self.request().outputs(batch.images) if teacher is None else teacher
        ours = Outputs.of(self.student, batch.images, Side.STUDENT, unrectified=False)
        (scratch,) = full_precision([self.scratch(batch.images)])
        with without_casts(batch.images.device):
            return self.losses(ours, scratch, taught, batch)

    def losses(self, ours: Outputs, scratch: Tensor, taught: Outputs, batch: Batch) -> StepResult:
        """Compute the losses.

        Args:
            ours: The outputs of the student.
            scratch: The logits (B, K) of the teacher that learns.
            taught: The outputs of the expert.
            batch: The images and their labels.
        """
        own, theirs = self.task.loss(ours.logits, batch), self.task.loss(scratch, batch)
        far = divergence(ours.logits, scratch.detach(), self.how.temperature)
        features = ours.shown_to(self.attention), taught.shown_to(self.attention)
        everybody = torch.ones(
            len(batch.labels), len(features[0]), dtype=torch.bool, device=batch.labels.device
        )
        attention = self.attention.losses(*features, batch, everybody)
        total = own + self.how.weight * far + self.how.attention * attention
        terms = terms_of("student", cross_entropy=own, divergence=far, attention=attention)
        return StepResult(
            {"student": total, PEER: theirs}, terms | terms_of(PEER, cross_entropy=theirs)
        )


def attention_of(situation: Situation, expert: StagedNetwork) -> AttentionTransfer:
    """Compare the student of ``situation`` with ``expert`` at every stage of maps.

    Raises:
        UserError: They have no such stages.
    """
    student, data = situation.student, situation.data
    shapes = Shapes.of(student, expert, data.image_shape)
    check_features("at", AttentionTransfer, shapes, student, expert)
    spots = spots_of("at", AttentionTransfer, student, expert)
    return AttentionTransfer(Pair(spots, *shapes.at(spots), data.train_labels))
