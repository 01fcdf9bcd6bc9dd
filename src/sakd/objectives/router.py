"""The router: a policy, and the graft and the loss that train it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sakd.foundation.errors import require
from sakd.objectives.graft import Graft
from sakd.routing import Route, RoutingPolicy, Scene


class Router(nn.Module):
    """A routing policy and, where it is trained, the graft that trains it."""

    def __init__(
        self, policy: RoutingPolicy, graft: Graft | None = None, *, gamma: float = 1.0
    ) -> None:
        """Combine ``policy`` and ``graft``.

        Args:
            policy: Decides which samples distil, at which spots.
            graft: Trains the policy; None for a policy without parameters.
            gamma: Factor of the loss where the graft does worse than the student; 1 has no effect.
        """
        super().__init__()
        self.policy = policy
        self.graft = graft
        self.gamma = gamma

    def route(self, scene: Scene) -> Route:
        """Let the policy route a batch.

        Raises:
            UserError: It weighs samples, and does not say so.
        """
        route: Route = self.policy(scene)
        name = type(self.policy).__name__
        require(
            self.policy.weighs or not route.share.is_floating_point(),
            f"policy {name} gives shares of {route.share.dtype}: set weighs = True if they are "
            "weights, or give a choice of bool",
        )
        return route

    def loss(
        self, grafted_ce: Tensor, student_ce: Tensor, gate: Tensor, cost: Tensor | None = None
    ) -> Tensor:
        """Compute the routing loss of the SAKD reference, a scalar.

        The graft's cross-entropy is multiplied by gamma where it exceeds the student's, and the
        result is divided by gamma where it is below (two tests in a row, as in the reference: a
        gamma under 1 can cancel itself). Then max(0, B / 2 - sum(gate)) is added, a penalty where
        fewer than half of the batch distil at the logits.

        Args:
            grafted_ce: Cross-entropy of the grafted logits, a scalar.
            student_ce: Cross-entropy of the student, a scalar without gradient.
            gate: The decisions at the logits (B,).
            cost: The policy's own cost, a scalar in place of the penalty.
        """
        loss = grafted_ce
        if self.gamma != 1:
            loss = torch.where(loss > student_ce, loss * self.gamma, loss)
            loss = torch.where(loss < student_ce, loss / self.gamma, loss)
        if cost is not None:
            return loss + cost
        return loss + (gate.numel() / 2 - gate.sum()).relu()  # no gradient at exactly half
