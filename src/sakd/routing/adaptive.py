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
    """One draw of all decisions (B, D, 2); slot 0 means distil, slot 1 leave alone.

    Attributes:
        hard: One-hot decisions.
        soft: Their differentiable softmax.
    """

    hard: Tensor
    soft: Tensor


class Adaptive(RoutingPolicy):
    """A linear policy on both embeddings, sampled by straight-through Gumbel softmax.

    Song et al., IEEE TIP 2022, arXiv:2205.02399. The probability of distilling is
    softmax(logits)[0]; the temperature only scales the gradient.
    """

    trained = True

    def __init__(
        self,
        student_width: int,
        teacher_width: int,
        decisions: int,
        *,
        temperature: float = 5.0,
    ) -> None:
        """Make the linear layer.

        Args:
            student_width: C_s.
            teacher_width: C_t.
            decisions: D.
            temperature: Temperature of the softmax from which the gate has its gradient.

        Raises:
            UserError: The temperature is not positive.
        """
        super().__init__(student_width, teacher_width, decisions)
        require_positive(temperature=temperature)
        self.temperature = temperature
        self.linear = nn.Linear(teacher_width + student_width, 2 * decisions)

    def favour_distilling(self, bias: float) -> None:
        """Add ``bias`` to the logit of slot 0 of every decision."""
        with torch.no_grad():
            self.linear.bias[0::2] += bias

    def forward(self, scene: Scene) -> Route:
        """Sample the decisions, see `RoutingPolicy.forward`."""
        return self.decide(self.logits(scene), scene.generator)

    def decide(self, logits: Tensor, generator: torch.Generator) -> Route:
        """Sample the decisions from ``logits`` (B, D, 2).

        The value of the gate is 0 or 1, its gradient that of the softmax.
        """
        hard, soft = self.sample(logits, generator)
        gate = (hard + (soft - soft.detach()))[..., 0]  # exactly 0 or 1, whatever the rounding
        return Route(hard[..., 0].bool(), gate)

    def logits(self, scene: Scene) -> Tensor:
        """Compute the logits (B, D, 2) of the decisions; those of slot 0 are for distilling."""
        embeddings = torch.cat([scene.teacher.embedding, scene.student.embedding], dim=1)
        logits: Tensor = self.linear(embeddings)
        return logits.view(-1, self.decisions, 2)

    def sample(self, logits: Tensor, generator: torch.Generator) -> Sample:
        """Draw decisions from ``logits`` (B, D, 2)."""
        soft = softmax((logits + self.gumbel(logits, generator)) / self.temperature, dim=2)
        hard = torch.zeros_like(soft).scatter_(2, soft.argmax(dim=2, keepdim=True), 1.0)
        return Sample(hard, soft)

    def gumbel(self, logits: Tensor, generator: torch.Generator) -> Tensor:
        """Draw standard Gumbel noise (B, D, 2) for ``logits`` (B, D, 2)."""
        uniform = torch.rand(logits.shape, generator=generator, device=logits.device)
        return -torch.log(-torch.log(uniform + 1e-20) + 1e-20)
