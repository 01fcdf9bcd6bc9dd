"""How far softened class probabilities are from those that they are to follow."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import log_softmax

from sakd.distillers.parts.logits import divergence as of_each


def divergence(logits: Tensor, target: Tensor, temperature: float = 1.0) -> Tensor:
    """Compute T^2 / B * sum_b KL(softmax(target / T) || softmax(logits / T)), a scalar.

    The gradient reaches both; detach ``target`` where it is to teach only.

    Args:
        logits: (B, K), which learn.
        target: (B, K), which they follow.
        temperature: T.
    """
    ours, theirs = (log_softmax(z / temperature, dim=1) for z in (logits, target))
    return temperature**2 * of_each(ours, theirs).mean()
