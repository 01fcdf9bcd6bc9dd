"""Teachers that take turns, one epoch after the other: route constrained optimisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from sakd.data import Batch, BatchStream
from sakd.foundation.errors import require
from sakd.networks import StagedNetwork
from sakd.objectives import Outputs
from sakd.systems.base import Situation
from sakd.systems.parts.divergence import divergence
from sakd.systems.parts.teachers import FromTeachers
from sakd.systems.parts.weighted import WeightedSettings


class RCO(FromTeachers[WeightedSettings]):
    """The route of a teacher's own training is followed, from its early states to its last.

    Jin et al., ICCV 2019, arXiv:1904.09149. L = ce_weight * CE + kd_weight * T^2 KL(p_i^T || p_s^T)
    with one teacher i at a time: of k teachers, in the order of the pair, each teaches an equal
    share of the epochs. The teachers are states of one training, as in ``T@40&T@80&T/S``.
    Differs from the paper, where every stage has a schedule of its own and the states may be
    chosen greedily: here the teachers change within one training of normal length.
    """

    settings = WeightedSettings
    uniform = False

    def __init__(self, situation: Situation, settings: WeightedSettings) -> None:
        """Begin with the first of the teachers of ``situation``.

        Raises:
            UserError: There are fewer epochs than teachers.
        """
        super().__init__(situation, settings)
        self.weights["kd"] = settings.kd_weight
        self.temperature = settings.temperature
        self.turn = 0
        if situation.epochs is not None:
            self._check(situation.epochs)

    def begin_epoch(self, epoch: int, epochs: int, stream: BatchStream) -> None:
        """Find whose turn it is, which follows from the epoch alone.

        Raises:
            UserError: There are fewer epochs than teachers.
        """
        self._check(epochs)
        self.turn = epoch * len(self.teachers) // epochs

    def _check(self, epochs: int) -> None:
        count = len(self.teachers)
        require(
            epochs >= count,
            f"{epochs} epochs for {count} teachers that take turns: set student.epochs to {count} "
            "or more, or name fewer teachers",
        )

    def _teachers(self) -> list[StagedNetwork]:
        return [super()._teachers()[self.turn]]

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
