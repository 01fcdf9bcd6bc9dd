"""The interface of routing policies: for which samples a spot distils."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

from torch import Tensor, nn

from sakd.routing.scene import Scene, Sight


class Route(NamedTuple):
    """The decisions for one batch: a column per spot, the last one for the logits.

    A policy among M teachers has M columns per spot, one for each teacher, and D is their number.

    Attributes:
        share: (B, D) bool, True where the student learns from its teacher; or, of a policy that
            weighs, floats of 0 or more, the weight with which it does. It has no gradient.
        gate: (B, D) of 0 or 1 with a straight-through gradient to the policy, for the graft; None
            for a policy that is not grafted.
        labels: (B,) floats of 0 or more without gradient, the weight of each sample's label loss;
            None for 1 each.
        cost: A scalar with a gradient to the policy, part of the routing loss in the place of
            SAKD's half-batch penalty, and all of it without a gate; None leaves the penalty.
    """

    share: Tensor
    gate: Tensor | None = None
    labels: Tensor | None = None
    cost: Tensor | None = None


class RoutingPolicy(nn.Module, ABC):
    """A choice of samples at every spot.

    Attributes:
        trained: Whether the policy has parameters, which the routing loss trains.
        grafted: Whether that loss is the graft's, where there is one; else it is the route's
            ``cost`` alone.
        sees: The outputs of the networks that it reads.
        weighs: Whether its shares are weights, and not 0 or 1; distillers that relate samples to
            each other take none.
        learns_aside: Whether the routing loss is that of images which neither network learns from,
            see `sakd.data.Batch`. What the student learns follows from the training images alone.
        settled: Whether its rates are given and not found, so that it cannot stop choosing.
        among: Whether it can choose among several teachers.
    """

    trained: ClassVar[bool] = False
    grafted: ClassVar[bool] = True
    sees: ClassVar[Sight] = Sight.EMBEDDINGS
    weighs: ClassVar[bool] = False
    learns_aside: ClassVar[bool] = False
    settled: ClassVar[bool] = False
    among: ClassVar[bool] = False

    def __init__(
        self, student_width: int, teacher_width: int, decisions: int, teachers: int = 1
    ) -> None:
        """Prepare for two networks, or for a student and several teachers.

        Args:
            student_width: C_s of the student's embeddings (B, C_s).
            teacher_width: C_t of the teacher's embeddings (B, C_t); of several teachers those of
                one after the other.
            decisions: The number of spots and one more for the logits: D for one teacher.
            teachers: M; more than 1 for a policy that chooses `among` teachers.
        """
        super().__init__()
        self.student_width = student_width
        self.teacher_width = teacher_width
        self.decisions = decisions
        self.teachers = teachers

    @property
    def at_once(self) -> int:
        """The most teachers of one sample at one spot."""
        return 1

    @abstractmethod
    def forward(self, scene: Scene) -> Route:
        """Route a batch; every random draw comes from ``scene.generator``."""

    def everywhere(self, column: Tensor) -> Tensor:
        """Take the decision ``column`` (B,) at every spot, for every teacher: (B, D)."""
        return column[:, None].expand(-1, self.decisions * self.teachers)

    def favour_distilling(self, bias: float, teacher: int = 0) -> None:
        """Lean towards "distil everywhere" from a ``teacher`` by ``bias`` logits, if it can."""
