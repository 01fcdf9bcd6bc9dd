"""The interface of routing policies: for which samples a spot distils."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn


class Route(NamedTuple):
    """The decisions for one batch: a column per spot, the last one for the logits.

    Attributes:
        chosen: (B, D) bool; True where the student learns from its teacher.
        gate: (B, D) of 0 or 1 with a straight-through gradient to the policy, for the graft; None
            for a policy that is not trained.
    """

    chosen: Tensor
    gate: Tensor | None


class RoutingPolicy(nn.Module, ABC):
    """A choice of samples at every spot.

    Attributes:
        trained: Whether the policy has parameters, which are trained through the graft.
    """

    trained: ClassVar[bool] = False

    def __init__(self, student_width: int, teacher_width: int, decisions: int) -> None:
        """Prepare for two networks.

        Args:
            student_width: C_s of the student's embeddings (B, C_s).
            teacher_width: C_t of the teacher's embeddings (B, C_t).
            decisions: D, the number of spots and one more for the logits.
        """
        super().__init__()
        self.student_width = student_width
        self.teacher_width = teacher_width
        self.decisions = decisions

    @abstractmethod
    def forward(self, student: Tensor, teacher: Tensor, generator: torch.Generator) -> Route:
        """Route a batch.

        Args:
            student: The student's embeddings (B, C_s), detached.
            teacher: The teacher's embeddings (B, C_t), detached.
            generator: The source of every random draw.
        """

    def favour_distilling(self, bias: float) -> None:
        """Lean towards "distil everywhere" by ``bias`` logits, if the policy can."""
