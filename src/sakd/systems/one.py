"""The on-the-fly native ensemble: branches that learn from their own ensemble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.foundation.arithmetic import without_casts
from sakd.foundation.errors import require
from sakd.networks import StagedNetwork, feature_shapes
from sakd.objectives import Outputs, StepResult
from sakd.objectives.outputs import full_precision
from sakd.systems.base import Partner, Situation
from sakd.systems.parts.branched import fresh_tails
from sakd.systems.parts.divergence import divergence
from sakd.systems.parts.gate import Gate, gated
from sakd.systems.parts.peers import require_few
from sakd.systems.parts.ramp import RampSettings, Rising
from sakd.systems.parts.tails import last_stage
from sakd.systems.parts.vectors import vector, width
from sakd.systems.parts.view import View
from sakd.tasks import Task


@dataclass(frozen=True, kw_only=True)
class EnsembleSettings(RampSettings):
    """The settings of `ONE`; the defaults are those of the authors' code.

    Attributes:
        branches: m, with that of the student.
    """

    branches: int = 3

    def __post_init__(self) -> None:
        """Refuse a single branch."""
        super().__post_init__()
        fine = self.branches > 1
        require(fine, f"branches must be 2 or more, got {self.branches}: one makes no ensemble")
        require_few(branches=self.branches)


class ONE(Rising[EnsembleSettings]):
    """Branches that learn from the labels and from their gated ensemble.

    Lan et al., NeurIPS 2018, arXiv:1806.04606. The last stage and the head are there m times, on a
    trunk; z_e = sum_i g_i z_i with the gate g, see `Gate`, of the feature that they share.
    L = sum_i CE(z_i, y) + CE(z_e, y) + ramp sum_i T^2 KL(p_e || p_i), p = softmax(z / T), where p_e
    is given: the gate learns from the labels alone. One player trains all. For the weight see
    `Ramp`.
    Differs from the authors' code: that adds 1e-7 to p_e before its logarithm.
    """

    partner = Partner.NONE
    settings = EnsembleSettings

    def __init__(
        self,
        student: StagedNetwork,
        tails: Sequence[StagedNetwork],
        gate: Gate,
        task: Task,
        how: EnsembleSettings = EnsembleSettings(),
    ) -> None:
        """Put ``tails`` beside the last stages of ``student``, and a ``gate`` before them."""
        super().__init__(student, tails, last_stage(student), task, how)
        self.gate = gate

    @classmethod
    def of(cls, situation: Situation, settings: EnsembleSettings) -> Self:
        """Give the student fresh tails and a fresh gate."""
        student, data = situation.student, situation.data
        cut = last_stage(student)
        inputs = width(feature_shapes(student, data.image_shape)[cut - 1])
        tails = fresh_tails(situation, settings.branches - 1, cut)
        return cls(student, tails, Gate(inputs, settings.branches), data.task, settings)

    def further_networks(self) -> Mapping[str, nn.Module]:
        """Name the other branches, and the gated ensemble of all."""
        return {**self.views("branch", 2), "ensemble": View(self, self.ensemble)}

    def ensemble(self, images: Tensor) -> Tensor:
        """Give the logits (B, K) of the ensemble for images (B, C, H, W)."""
        shared, branches = self.branches(images)
        return gated([branch.logits for branch in branches], self.gate(vector(shared)))

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the loss of ``batch``; ``teacher`` is ignored."""
        shared, branches = self.branches(batch.images)
        (pooled,) = full_precision([vector(shared)])
        logits = full_precision(branch.logits for branch in branches)
        with without_casts(batch.images.device):
            return self.losses(logits, self.gate(pooled), batch)

    def losses(self, logits: Sequence[Tensor], gate: Tensor, batch: Batch) -> StepResult:
        """Compute the loss.

        Args:
            logits: (B, K) of every branch, the student's first.
            gate: Their weights (B, m).
            batch: The images and their labels.
        """
        ensemble = gated(logits, gate)
        labels = [self.task.loss(z, batch) for z in (*logits, ensemble)]
        far = [divergence(z, ensemble.detach(), self.how.temperature) for z in logits]
        followed = torch.stack(far).sum()
        total = torch.stack(labels).sum() + self.ramp(followed)
        terms = {
            "cross_entropy": labels[0],
            "branches": sum(labels[1:-1], torch.zeros_like(labels[0])),
            "ensemble": labels[-1],
            "divergence": followed,
            "ramp": self.ramp.weight,
        }
        return StepResult({"student": total}, {name: t.detach() for name, t in terms.items()})
