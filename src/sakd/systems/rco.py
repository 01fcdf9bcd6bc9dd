"""Teachers that take turns, one after the other: route constrained optimisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sakd.data import Batch, BatchStream
from sakd.foundation.errors import require
from sakd.foundation.keys import added
from sakd.networks import StagedNetwork
from sakd.objectives import Outputs, Phase, spans
from sakd.systems.base import Situation
from sakd.systems.parts.divergence import divergence
from sakd.systems.parts.route import distances, farthest
from sakd.systems.parts.teachers import FromTeachers
from sakd.systems.parts.weighted import WeightedSettings


@dataclass(frozen=True, kw_only=True)
class RouteSettings(WeightedSettings):
    """The settings of `RCO`.

    Attributes:
        stages: The parts of the training, of equally many epochs, each with a learning rate that
            starts again, and with one teacher; 0 for one part in which teachers take turns.
        greedy: Delta; 0 for the states at equal distances in the list.
    """

    stages: int = added(0)
    greedy: float = added(0.0)

    def __post_init__(self) -> None:
        """Refuse a choice among too few stages, and one that could not be met."""
        super().__post_init__()
        fine = self.stages == 0 or self.stages > 1
        require(fine, f"stages must be 0, or 2 or more, got {self.stages}")
        require(
            self.greedy == 0 or self.greedy >= 1,
            f"greedy must be 0, or 1 or more, got {self.greedy}",
        )
        require(
            self.greedy == 0 or self.stages > 1,
            f"greedy {self.greedy} chooses the teacher of a stage: set stages to 2 or more",
        )


class RCO(FromTeachers[RouteSettings]):
    """The route of a teacher's own training is followed, from its early states to its last.

    Jin et al., ICCV 2019, arXiv:1904.09149. L = ce_weight * CE + kd_weight * T^2 KL(p_i^T || p_s^T)
    with one teacher i at a time. The teachers are states of one training, as in ``T@40&T@80&T/S``.
    Without ``stages`` each of them teaches an equal share of the epochs. With stages each part of
    the training goes on from the weights of the one before, with optimisers of its own, under
    states at equal distances in the list, up to the last. With ``greedy`` the first stage has the
    first state; then comes the latest state j with H_j <= delta H_i, H_j = mean KL(p_j || p_s) and
    i the present one, or the next one if there is no such j; the last stage has the last state.
    Differs from the paper, whose stages are trained to convergence, in that a stage has a fixed
    number of epochs; H is measured on the training images of the epoch, as validation images take
    no part in a training.

    Attributes:
        anchor: The number of the state that teaches in a stage, a buffer ().
    """

    settings = RouteSettings
    uniform = False
    anchor: Tensor

    def __init__(self, situation: Situation, settings: RouteSettings) -> None:
        """Begin with the first of the teachers of ``situation``.

        Raises:
            UserError: There are fewer epochs than teachers, or fewer teachers than stages.
        """
        super().__init__(situation, settings)
        self.weights["kd"] = settings.kd_weight
        self.temperature = settings.temperature
        self.turn = self.stage = 0
        self.register_buffer("anchor", torch.tensor(0))
        count = len(self.teachers)
        require(
            settings.stages <= count,
            f"{settings.stages} stages for {count} teachers: set stages to {count} or less, or "
            "name more states",
        )
        if situation.epochs is not None:
            self._check(situation.epochs)

    def phases(self) -> tuple[Phase, ...]:
        """Name the stages."""
        return tuple(Phase(f"stage {number + 1}", 1.0) for number in range(self.chosen.stages))

    def enter(self, phase: int) -> None:
        """Begin a stage."""
        self.stage = phase

    def begin_epoch(self, epoch: int, epochs: int, stream: BatchStream) -> None:
        """Find whose turn it is, which follows from the epoch alone unless the choice is greedy.

        Raises:
            UserError: There are fewer epochs than teachers.
        """
        self._check(epochs)
        if not self.chosen.stages:
            self.turn = epoch * len(self.teachers) // epochs
            return
        if epoch == spans(self.phases(), epochs)[self.stage].start:
            self.anchor.fill_(self._next(stream, epoch))
        self.turn = int(self.anchor)

    def restore(self, progress: Mapping[str, Tensor]) -> None:
        """Continue from `progress`, with the teacher that was chosen then.

        Raises:
            UserError: There is no such teacher.
        """
        super().restore(progress)
        fine = int(self.anchor) in range(len(self.teachers))
        require(fine, f"there is no teacher {int(self.anchor)}, of {len(self.teachers)}")
        if self.chosen.stages:
            self.turn = int(self.anchor)

    def _next(self, stream: BatchStream, epoch: int) -> int:
        """Choose the teacher of the present stage."""
        last, stages = len(self.teachers) - 1, self.chosen.stages
        if self.stage == stages - 1 or (self.stage > 0 and int(self.anchor) == last):
            return last
        if not self.chosen.greedy:
            return (self.stage + 1) * len(self.teachers) // stages - 1
        if self.stage == 0:
            return 0
        found = distances(self.student, self._states(), stream, epoch)
        return farthest(found, int(self.anchor), self.chosen.greedy)

    def _check(self, epochs: int) -> None:
        count = len(self.teachers)
        require(
            epochs >= count or self.chosen.stages > 0,
            f"{epochs} epochs for {count} teachers that take turns: set student.epochs to {count} "
            "or more, or name fewer teachers",
        )

    def _states(self) -> list[StagedNetwork]:
        return super()._teachers()

    def _teachers(self) -> list[StagedNetwork]:
        return [self._states()[self.turn]]

    def knowledge(
        self, batch: Batch, student: Outputs, taught: Sequence[Outputs]
    ) -> Mapping[str, Tensor]:
        """Compute the divergence from the teacher whose turn it is."""
        (given,) = taught
        turn = student.logits.new_tensor(float(self.turn + 1))
        return {
            "kd": divergence(student.logits, given.logits, self.temperature),
            "turn_of_teacher": turn,
        }
