"""What a routing policy is: for which samples the student learns at which spot."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn


class Route(NamedTuple):
    """The decisions for one batch, one column per spot; the last column is the logits.

    Attributes:
        chosen: (B, D) bool; where the student learns from its teacher.
        gate: (B, D) of 0 or 1 with a straight-through gradient to the policy, for the graft;
            None where nothing is learnt from it.
    """

    chosen: Tensor
    gate: Tensor | None


class RoutingPolicy(nn.Module, ABC):
    """Decides per sample and spot.

    Attributes:
        trained: whether the policy has parameters, which are trained through the graft.
    """

    trained: ClassVar[bool] = False

    def __init__(self, student_width: int, teacher_width: int, decisions: int) -> None:
        """Prepare for embeddings of those widths and that many decisions (spots + logits)."""
        super().__init__()
        self.student_width = student_width
        self.teacher_width = teacher_width
        self.decisions = decisions

    @abstractmethod
    def forward(self, student: Tensor, teacher: Tensor, generator: torch.Generator) -> Route:
        """Route a batch by its detached embeddings (B, C_s) and (B, C_t).

        Every random draw comes from ``generator``.
        """

    def favour_distilling(self, bias: float) -> None:
        """Lean towards "distil everywhere" by ``bias`` logits, where a policy can lean."""
