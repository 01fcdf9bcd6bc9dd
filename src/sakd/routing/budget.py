"""The spot-adaptive policy, held to a rate."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from sakd.foundation.errors import require, require_positive
from sakd.routing.adaptive import Adaptive
from sakd.routing.base import Route
from sakd.routing.scene import Scene


class Budget(Adaptive):
    """The policy of `Adaptive`, made to distil a given part of the samples at every spot.

    Proposed here. In the place of SAKD's penalty for less than half a batch at the logits, the
    routing loss has strength x sum_k KL(rate || m_k), m_k the mean over the batch of the
    probabilities that a sample distils at spot k. So *which* samples distil is left to the graft,
    and not how many. The pull on the log-odds of the probabilities is about m_k - rate, however
    sure the policy has become. It starts at its rate: two networks of one family give it no head
    start.
    A rate that ends above 99 % or below 1 % all the same has collapsed, as that of `Adaptive`.
    """

    among = False

    def __init__(
        self,
        student_width: int,
        teacher_width: int,
        decisions: int,
        *,
        temperature: float = 5.0,
        rate: float = 0.5,
        strength: float = 1.0,
    ) -> None:
        """Make the linear layer.

        Args:
            student_width: C_s.
            teacher_width: C_t.
            decisions: D.
            temperature: Temperature of the softmax from which the gate has its gradient.
            rate: The part of the samples that are to distil.
            strength: Factor of the divergence from it.

        Raises:
            UserError: A value is out of range.
        """
        super().__init__(student_width, teacher_width, decisions, temperature=temperature)
        require(0 < rate < 1, f"rate must be above 0 and below 1, got {rate}")
        require_positive(strength=strength)
        self.rate = rate
        self.strength = strength
        with torch.no_grad():
            self.linear.bias[0::2] += math.log(rate / (1 - rate))

    def forward(self, scene: Scene) -> Route:
        """Sample the decisions, and price their rates, see `RoutingPolicy.forward`."""
        logits = self.logits(scene)
        return self.decide(logits, scene.generator)._replace(cost=self.cost(logits))

    def cost(self, logits: Tensor) -> Tensor:
        """Compute the cost, a scalar, of the logits (B, D, 2) of the decisions."""
        odds = logits[..., 0] - logits[..., 1]
        size = math.log(len(odds))
        opened, closed = (logsigmoid(x).logsumexp(dim=0) - size for x in (odds, -odds))
        entropy = -self.rate * math.log(self.rate) - (1 - self.rate) * math.log(1 - self.rate)
        divergence = -self.rate * opened - (1 - self.rate) * closed - entropy
        return self.strength * divergence.sum()

    def favour_distilling(self, bias: float, teacher: int = 0) -> None:
        """Stay at the rate."""
