"""Systems of one network whose last stages are there several times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from torch import Tensor, nn

from sakd.networks import Features, StagedNetwork
from sakd.objectives import Player, Settings
from sakd.systems.base import Situation, System
from sakd.systems.parts.tails import tail
from sakd.systems.parts.view import View
from sakd.tasks import Task

S = TypeVar("S", bound=Settings)


class Branched(System[S]):
    """A student with further branches: tails of their own on a trunk that they share.

    The student's own last stages are the first branch, and it is what is kept.

    Attributes:
        cut: The first stage that is not shared; with 0 the branches are whole networks.
    """

    def __init__(
        self, student: StagedNetwork, tails: Sequence[StagedNetwork], cut: int, task: Task
    ) -> None:
        """Put ``tails``, which begin with stage ``cut``, on the trunk of ``student``."""
        super().__init__()
        self.student = student
        self.tails = nn.ModuleList(tails)
        self.cut = cut
        self.task = task

    @property
    def network(self) -> StagedNetwork:
        """The student."""
        return self.student

    def players(self) -> dict[str, Player]:
        """Name one player: the student, the tails, and all that is trained along with them."""
        return {"student": Player.of(self)}

    def branches(self, images: Tensor) -> tuple[Tensor, list[Features]]:
        """Run images (B, C, H, W) through the trunk once, and through every branch.

        Returns:
            The feature that the branches share, and the features and logits of each branch from
            there, those of the student first.
        """
        shared = self.student.run(images, 0, self.cut)
        tails = cast("Sequence[StagedNetwork]", self.tails)
        return shared, [self.student.extract(shared, self.cut), *(t.extract(shared) for t in tails)]

    def views(self, kind: str, first: int) -> dict[str, nn.Module]:
        """Give the student's further branches as networks, ``kind`` by number from ``first``."""
        tails = cast("Sequence[StagedNetwork]", self.tails)
        return {f"{kind}{k}": View(self, self._whole(t)) for k, t in enumerate(tails, first)}

    def _whole(self, tail: StagedNetwork) -> Callable[[Tensor], Tensor]:
        return lambda images: tail(self.student.run(images, 0, self.cut))


def fresh_tails(situation: Situation, count: int, cut: int) -> list[StagedNetwork]:
    """Make ``count`` tails from stage ``cut`` on with fresh weights, of the student's kind."""
    numbers = range(1, count + 1)
    return [tail(situation.fresh(number, False), cut) for number in numbers]
