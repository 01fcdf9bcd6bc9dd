"""Distillers that learn how much each of their comparisons counts, by an outer loss."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn

from sakd.data import Batch
from sakd.distillers.base import Distiller
from sakd.networks.spots import Spot


class OuterTrained(Distiller):
    """A distiller whose comparisons are weighted by the teacher's features.

    The student's loss would make all weights 0. So those parameters are a player of their own,
    which is trained for what the student does on its labels after steps by the weighted loss; see
    `sakd.objectives.meta.MetaDistillation`.

    Attributes:
        choice: Maps the teacher's features (B, ...), one per spot, to the weights of every
            comparison, a tensor (B, ...) each.
        steps: Steps by the weighted loss, before one by the labels.
        lr: The learning rate of ``choice``, under Adam.
    """

    objective = "meta"

    choice: nn.Module
    steps: int
    lr: float

    def losses(
        self, students: Sequence[Tensor], teachers: Sequence[Tensor], batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.losses`."""
        return self.matching(students, teachers, chosen, self.choice(teachers))

    @abstractmethod
    def matching(
        self,
        students: Sequence[Tensor],
        teachers: Sequence[Tensor],
        chosen: Tensor,
        weights: Sequence[Tensor],
    ) -> Tensor:
        """Compute the loss, a scalar, for given ``weights``; the rest is as in `losses`."""

    @abstractmethod
    def compared(self) -> Sequence[Spot]:
        """Name the features that each of the comparisons takes."""

    @abstractmethod
    def strengths(self, weights: Sequence[Tensor]) -> Tensor:
        """Give how much each comparison counts, as a part of the most that it can: (B, pairs)."""
