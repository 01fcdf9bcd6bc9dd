"""Snapshot distillation: each cycle of a training is taught by the end of the one before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softmax

from sakd.data import Batch, BatchStream
from sakd.foundation.errors import require, require_not_negative, require_positive
from sakd.objectives import Outputs, Player, Settings
from sakd.systems.base import Partner, Situation
from sakd.systems.parts.learner import Learner, Term
from sakd.systems.parts.targets import soft_cross_entropy


@dataclass(frozen=True, kw_only=True)
class SnapshotSettings(Settings):
    """The settings of `Snapshot`.

    Attributes:
        cycles: The parts of the training, of equally many epochs.
        temperature: T.
        weight: The weight of what is learnt from the snapshot; 0 is the control, which has the same
            schedule.
    """

    cycles: int = 4
    temperature: float = 3.0
    weight: float = 1.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        require(self.cycles > 1, f"cycles must be 2 or more, got {self.cycles}")
        require_positive(temperature=self.temperature)
        require_not_negative(weight=self.weight)


class Snapshot(Learner[SnapshotSettings]):
    """Learn from a copy of oneself, taken where the learning rate had fallen to 0.

    Yang et al., CVPR 2019, arXiv:1812.00123. The learning rate falls from its first value to 0 in
    each cycle, by a cosine and in every step; see `Optimisation`. In the first cycle L = CE, then
    L = (1 + weight / T) CE + weight SCE, SCE = -mean_b sum_k softmax(z_t / T)_k log softmax(z)_k,
    where the teacher is a copy of the network at the end of the cycle before. The student is not
    softened. Weights and momentum go on from cycle to cycle. No code of the authors was found; the
    weights of the losses, T and the number of cycles are those of another implementation.
    """

    partner = Partner.NONE
    settings = SnapshotSettings
    resting = ("teacher",)
    uniform = False

    def __init__(self, situation: Situation, settings: SnapshotSettings) -> None:
        """Train the student of ``situation``.

        Raises:
            UserError: The epochs cannot be divided into cycles.
        """
        super().__init__(situation, settings)
        epochs, cycles = situation.epochs, settings.cycles
        require(
            epochs is None or epochs % cycles == 0,
            f"{epochs} epochs cannot be divided into {cycles} cycles of equal length: set cycles "
            "to a divisor of the epochs",
        )
        self.teacher = situation.fresh(1, False).requires_grad_(False).eval()
        self.taught = False

    def players(self) -> dict[str, Player]:
        """Name one player: the student, whose learning rate has the cycles."""
        return {"student": Player.of(self.student)._replace(cycles=self.chosen.cycles)}

    def begin_epoch(self, epoch: int, epochs: int, stream: BatchStream) -> None:
        """Take a snapshot where a cycle begins; the first cycle has no teacher."""
        cycles = self.chosen.cycles
        starts = {round(cycle * epochs / cycles) for cycle in range(1, cycles)} - {0}
        self.taught = any(start <= epoch for start in starts)
        if epoch in starts:
            self.teacher.load_state_dict(self.student.state_dict())

    def seen(self, batch: Batch, teacher: Outputs | None) -> Sequence[Tensor]:
        """Give the logits (B, K) of the student, and of its snapshot once there is one."""
        if not self.taught:
            return [self.student(batch.images)]
        with torch.no_grad():
            taught = self.teacher(batch.images)
        return [self.student(batch.images), taught]

    def terms(self, batch: Batch, seen: Sequence[Tensor]) -> dict[str, Term]:
        """Compute the label loss, and the cross-entropy with what the snapshot says."""
        logits, *taught = seen
        temperature, weight = self.chosen.temperature, self.chosen.weight
        labels = self.task.loss(logits, batch)
        if not taught:
            return {"cross_entropy": Term(labels)}
        target = softmax(taught[0] / temperature, dim=1)
        return {
            "cross_entropy": Term(labels, 1 + weight / temperature),
            "soft_cross_entropy": Term(soft_cross_entropy(logits, target).mean(), weight),
        }
