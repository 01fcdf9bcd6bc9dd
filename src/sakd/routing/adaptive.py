"""The spot-adaptive policy."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import softmax

from sakd.foundation.errors import require_positive
from sakd.routing.base import Route, RoutingPolicy
from sakd.routing.scene import Scene


class Sample(NamedTuple):
    """One draw of all decisions (B, spots, M + 1); slot m is teacher m, the last leaves alone.

    Attributes:
        hard: One-hot decisions.
        soft: Their differentiable softmax.
    """

    hard: Tensor
    soft: Tensor


class Adaptive(RoutingPolicy):
    """A linear policy on the embeddings, sampled by straight-through Gumbel softmax.

    Song et al., IEEE TIP 2022, arXiv:2205.02399. The probability of distilling is
    softmax(logits)[0]; the temperature only scales the gradient. Proposed here: with M teachers a
    decision has M + 1 slots, and a sample learns at a spot from one teacher or from none.
    """

    trained = True
    among = True

    def __init__(
        self,
        student_width: int,
        teacher_width: int,
        decisions: int,
        teachers: int = 1,
        *,
        temperature: float = 5.0,
    ) -> None:
        """Make the linear layer.

        Args:
            student_width: C_s.
            teacher_width: C_t.
            decisions: The number of spots.
            teachers: M.
            temperature: Temperature of the softmax from which the gate has its gradient.

        Raises:
            UserError: The temperature is not positive.
        """
        super().__init__(student_width, teacher_width, decisions, teachers)
        require_positive(temperature=temperature)
        self.temperature = temperature
        self.linear = nn.Linear(teacher_width + student_width, (teachers + 1) * decisions)

    def favour_distilling(self, bias: float, teacher: int = 0) -> None:
        """Add ``bias`` to the logit of the slot of ``teacher`` in every decision."""
        with torch.no_grad():
            self.linear.bias[teacher :: self.teachers + 1] += bias

    def forward(self, scene: Scene) -> Route:
        """Sample the decisions, see `RoutingPolicy.forward`."""
        return self.decide(self.logits(scene), scene.generator)

    def decide(self, logits: Tensor, generator: torch.Generator) -> Route:
        """Sample the decisions from ``logits`` (B, spots, M + 1).

        The value of the gate is 0 or 1, its gradient that of the softmax.
        """
        hard, soft = self.sample(logits, generator)
        gate = hard + (soft - soft.detach())  # exactly 0 or 1, whatever the rounding
        return Route(hard[..., :-1].bool().flatten(1), gate[..., :-1].flatten(1))

    def logits(self, scene: Scene) -> Tensor:
        """Compute the logits (B, spots, M + 1) of the decisions; the last slot leaves alone."""
        embeddings = torch.cat([scene.teacher.embedding, scene.student.embedding], dim=1)
        logits: Tensor = self.linear(embeddings)
        return logits.view(-1, self.decisions, self.teachers + 1)

    def sample(self, logits: Tensor, generator: torch.Generator) -> Sample:
        """Draw decisions from ``logits`` (B, spots, M + 1)."""
        soft = softmax((logits + self.gumbel(logits, generator)) / self.temperature, dim=2)
        hard = torch.zeros_like(soft).scatter_(2, soft.argmax(dim=2, keepdim=True), 1.0)
        return Sample(hard, soft)

    def gumbel(self, logits: Tensor, generator: torch.Generator) -> Tensor:
        """Draw standard Gumbel noise for ``logits``, of their shape."""
        uniform = torch.rand(logits.shape, generator=generator, device=logits.device)
        return -torch.log(-torch.log(uniform + 1e-20) + 1e-20)
