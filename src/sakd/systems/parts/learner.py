"""Systems that train one student, with whatever learns beside it, by one loss."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Generic, NamedTuple, Self, TypeVar

from torch import Tensor

from sakd.data import Batch
from sakd.foundation.arithmetic import without_casts
from sakd.networks import StagedNetwork
from sakd.objectives import Outputs, Player, Settings, StepResult
from sakd.objectives.outputs import full_precision
from sakd.systems.base import Situation, System

S = TypeVar("S", bound=Settings)


class Term(NamedTuple):
    """A part of a loss: a scalar, which counts ``weight`` times."""

    loss: Tensor
    weight: float | Tensor = 1.0


class OneStudent(System[S], Generic[S]):
    """A system of one player: the student, and all that is trained along with it."""

    def __init__(self, situation: Situation, settings: S) -> None:
        """Train the student of ``situation``.

        Args:
            situation: The networks and the data.
            settings: The settings of the system, kept as ``chosen``.
        """
        super().__init__()
        self.student = situation.student
        self.task = situation.data.task
        self.chosen = settings

    @classmethod
    def of(cls, situation: Situation, settings: S) -> Self:
        """Build the system; see `System.of`."""
        return cls(situation, settings)

    @property
    def network(self) -> StagedNetwork:
        """The student."""
        return self.student

    def players(self) -> dict[str, Player]:
        """Name one player: the student, and the modules that are trained along with it."""
        return {"student": Player.of(self)}


class Learner(OneStudent[S], Generic[S]):
    """A student that learns by a sum of terms, which it computes of what its networks give."""

    def seen(self, batch: Batch, teacher: Outputs | None) -> Sequence[Tensor]:
        """Run the networks once; give what the terms are computed of, here the logits (B, K)."""
        return [self.student(batch.images)]

    @abstractmethod
    def terms(self, batch: Batch, seen: Sequence[Tensor]) -> Mapping[str, Term]:
        """Compute the terms of the loss, by name.

        Args:
            batch: The images and their labels.
            seen: The result of `seen`, in full precision.
        """

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the loss of ``batch``, the weighted sum of the terms."""
        seen = full_precision(self.seen(batch, teacher))
        with without_casts(batch.images.device):
            terms = self.terms(batch, seen)
            parts = [weight * loss for loss, weight in terms.values()]
            total = sum(parts[1:], parts[0])
        return StepResult({"student": total}, {n: term.loss.detach() for n, term in terms.items()})
