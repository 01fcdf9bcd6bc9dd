"""The router: the policy, and what trains it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sakd.objectives.graft import Graft
from sakd.routing import RoutingPolicy


class Router(nn.Module):
    """A routing policy and, where it is trained, the graft that trains it."""

    def __init__(
        self, policy: RoutingPolicy, graft: Graft | None = None, *, gamma: float = 1.0
    ) -> None:
        """Put both together.

        Args:
            policy: decides.
            graft: None for a policy without parameters.
            gamma: factor of the loss where the graft does worse than the student; 1 is inert.
        """
        super().__init__()
        self.policy = policy
        self.graft = graft
        self.gamma = gamma

    def loss(self, grafted_ce: Tensor, student_ce: Tensor, gate: Tensor) -> Tensor:
        """The routing loss of the SAKD reference.

        The graft's cross-entropy, times gamma where it exceeds the student's and then divided by
        gamma where it is below (two tests in a row, as in the reference: a gamma under 1 can
        cancel itself), plus max(0, B / 2 - sum(gate)): fewer than half of the batch distilling at
        the logits is penalised, after gamma.

        Args:
            grafted_ce: cross-entropy of the grafted logits.
            student_ce: cross-entropy of the student, detached.
            gate: (B,) the decision at the logits.
        """
        loss = torch.where(grafted_ce > student_ce, grafted_ce * self.gamma, grafted_ce)
        loss = torch.where(loss < student_ce, loss / self.gamma, loss)
        return loss + (gate.numel() / 2 - gate.sum()).relu()  # no gradient at exactly half
