"""Systems in which one trained network teaches the student by its logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from torch import Tensor

from sakd.data import Batch
from sakd.foundation.errors import require
from sakd.networks import StagedNetwork
from sakd.objectives import Outputs, Request, Settings
from sakd.systems.base import Partner, Situation
from sakd.systems.parts.learner import Learner
from sakd.systems.parts.peers import check_classes

S = TypeVar("S", bound=Settings)


class Taught(Learner[S], Generic[S]):
    """A learner with a frozen teacher."""

    partner = Partner.TEACHER
    frozen = ("teacher",)

    def __init__(self, situation: Situation, settings: S) -> None:
        """Train the student of ``situation`` under its one partner.

        Raises:
            UserError: The two have different classes.
        """
        super().__init__(situation, settings)
        check_classes(situation, situation.partners)
        (teacher,) = situation.partners
        self.teacher = teacher.eval().requires_grad_(False)

    def request(self) -> Request:
        """Ask for the teacher's logits."""
        return Request(self.teacher, frozenset({self.teacher.depth}))

    def seen(self, batch: Batch, teacher: Outputs | None) -> Sequence[Tensor]:
        """Give the logits (B, K) of the student, and of the teacher."""
        taught = self.request().outputs(batch.images) if teacher is None else teacher
        return [self.student(batch.images), taught.logits]


class TaughtByItself(Taught[S], Generic[S]):
    """A learner whose frozen teacher is an earlier training of the same network."""

    same_network = True

    def __init__(self, situation: Situation, settings: S) -> None:
        """Train the student of ``situation`` under its one partner.

        Raises:
            UserError: The two are different networks.
        """
        super().__init__(situation, settings)
        require(
            _shapes(self.teacher) == _shapes(self.student),
            f"the teacher ({_size(self.teacher)}) is another network than the student "
            f"({_size(self.student)}), which learns from an earlier training of itself here: name "
            "one network twice in the pair",
        )


def _shapes(network: StagedNetwork) -> list[tuple[int, ...]]:
    return [tuple(parameter.shape) for parameter in network.parameters()]


def _size(network: StagedNetwork) -> str:
    return f"{sum(parameter.numel() for parameter in network.parameters()):,} parameters"
