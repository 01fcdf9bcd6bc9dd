"""Branches of one student, each with a teacher of its own: EKD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self, cast

import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.distillers.parts.maps import squared
from sakd.foundation.arithmetic import without_casts
from sakd.foundation.errors import require, require_not_negative
from sakd.networks import Features, StagedNetwork
from sakd.networks.adapters import adapter
from sakd.networks.branches import WithBranches
from sakd.objectives import Outputs, StepResult
from sakd.objectives.compatibility import Shapes
from sakd.objectives.outputs import full_precision
from sakd.systems.base import Partner, Situation
from sakd.systems.parts.branched import Branched, fresh_tails
from sakd.systems.parts.divergence import DivergenceSettings, divergence
from sakd.systems.parts.tails import last_stage
from sakd.systems.parts.teachers import asked, shapes_of
from sakd.systems.parts.view import View


@dataclass(frozen=True, kw_only=True)
class EKDSettings(DivergenceSettings):
    """The settings of `EKD`, of a branch and its teacher; the defaults are ours.

    Attributes:
        feature_weight: The weight of the error of the branch's last map.
    """

    feature_weight: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a negative weight."""
        super().__post_init__()
        require_not_negative(feature_weight=self.feature_weight)


class EKD(Branched[EKDSettings]):
    """As many branches as teachers, each taught by one of them, and an ensemble that is their mean.

    As described by Asif et al., ECAI 2020, arXiv:1909.08097, not checked against the paper or any
    code. The last stage and the head are there M times, on a trunk. L = CE(mean_m z_m) +
    sum_m [CE(z_m) + a T^2 KL(p_m^T || q_m^T) + b mean (r_m(F_m) - F'_m)^2], z_m and q_m the logits
    and probabilities of branch m, p_m those of teacher m, F_m and F'_m their last maps, r_m the
    regressor of FitNet, see `sakd.networks.adapters`. One player trains all.
    The student of the paper is the ensemble: a student with as many branches as teachers, as
    ``resnet8(branches=2)`` of the pair ``T1&T2/S``, is kept whole. Of a plain student there are
    such branches in training alone: what is kept is the first, with the first teacher of the pair,
    and so no larger than the student; the ensemble is measured beside it.
    """

    partner = Partner.TEACHERS
    settings = EKDSettings
    frozen = ("teachers",)

    def __init__(
        self,
        situation: Situation,
        tails: Sequence[StagedNetwork],
        shapes: Sequence[Shapes],
        how: EKDSettings = EKDSettings(),
    ) -> None:
        """Put ``tails`` beside the last stages of the student of ``situation``.

        Args:
            situation: The student and its teachers.
            tails: The other branches, one fewer than the teachers.
            shapes: Those of the student beside each teacher.
            how: The weights and the temperature.
        """
        student, cut = situation.student, last_stage(situation.student)
        super().__init__(student, tails, cut, situation.data.task)
        # Their weights are the student's, so they are no modules of the system.
        self.own = tuple(student.branches()) if isinstance(student, WithBranches) else ()
        teachers = (teacher.eval().requires_grad_(False) for teacher in situation.partners)
        self.teachers = nn.ModuleList(teachers)
        channels, *size = shapes[0].student[cut]
        ours = (channels // max(1, len(self.own)), *size)
        self.regressors = nn.ModuleList(adapter(ours, shape.teacher[-2]) for shape in shapes)
        self.how = how

    @classmethod
    def of(cls, situation: Situation, settings: EKDSettings) -> Self:
        """Give a plain student a fresh tail for every teacher but the first.

        Raises:
            UserError: A student with branches has more or fewer than there are teachers.
        """
        shapes, student = shapes_of(situation), situation.student
        if isinstance(student, WithBranches):
            count = len(student.branches())
            require(
                count == len(shapes),
                f"{count} branches of the student for {len(shapes)} teachers: take "
                f"(branches={len(shapes)}), or a student without branches",
            )
            return cls(situation, [], shapes, settings)
        tails = fresh_tails(situation, len(shapes) - 1, last_stage(student))
        return cls(situation, tails, shapes, settings)

    def further_networks(self) -> Mapping[str, nn.Module]:
        """Name the branches that are not kept alone, and the mean of all if it is not kept."""
        if self.own:
            each = enumerate(self.own, start=1)
            return {f"branch{k}": View(self, self._whole(branch)) for k, branch in each}
        return {**self.views("branch", 2), "ensemble": View(self, self.ensemble)}

    def branches(self, images: Tensor) -> tuple[Tensor, list[Features]]:
        """Run images (B, C, H, W) through all branches, see `Branched.branches`."""
        if not self.own:
            return super().branches(images)
        shared = self.student.run(images, 0, self.cut)
        return shared, [branch.extract(shared) for branch in self.own]

    def ensemble(self, images: Tensor) -> Tensor:
        """Give the mean of the logits (B, K) of all branches for images (B, C, H, W)."""
        _, branches = self.branches(images)
        return torch.stack([branch.logits for branch in branches]).mean(dim=0)

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the loss of ``batch``; ``teacher`` is ignored, for there are several."""
        teachers = cast("Sequence[StagedNetwork]", self.teachers)
        taught = [asked(network, batch) for network in teachers]
        _, branches = self.branches(batch.images)
        logits = full_precision(branch.logits for branch in branches)
        maps = full_precision(branch.features[0] for branch in branches)
        with without_casts(batch.images.device):
            terms = self.terms(batch, logits, [one.logits for one in taught])
            terms["features"] = self.errors(maps, [one.features[-2] for one in taught])
            labels = terms["cross_entropy"] + terms["branches"] + terms["ensemble"]
            total = labels + self.how.kd_weight * terms["kd"]
            total = total + self.how.feature_weight * terms["features"]
        return StepResult({"student": total}, {name: x.detach() for name, x in terms.items()})

    def terms(
        self, batch: Batch, logits: Sequence[Tensor], teachers: Sequence[Tensor]
    ) -> dict[str, Tensor]:
        """Compute the terms of the logits (B, K) of branches and ``teachers``, before weights."""
        own, *others = [self.task.loss(z, batch) for z in logits]
        pairs = zip(logits, teachers, strict=True)
        followed = [divergence(ours, theirs, self.how.temperature) for ours, theirs in pairs]
        return {
            "cross_entropy": own,
            "branches": torch.stack(others).sum(),
            "ensemble": self.task.loss(torch.stack(list(logits)).mean(dim=0), batch),
            "kd": torch.stack(followed).sum(),
        }

    def errors(self, maps: Sequence[Tensor], teachers: Sequence[Tensor]) -> Tensor:
        """Sum the mean squared errors of ``maps`` (B, ...), each through its regressor."""
        triples = zip(self.regressors, maps, teachers, strict=True)
        return torch.stack([squared(r(ours) - theirs).mean() for r, ours, theirs in triples]).sum()
