"""Losses of logits on soft targets."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import log_softmax

from sakd.distillers.parts.logits import divergence


def soft_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Compute -sum_k t_k log softmax(z)_k (B,) of logits z (B, K) and probabilities t (B, K).

    No gradient flows to the target.
    """
    return -(target.detach() * log_softmax(logits, dim=1)).sum(dim=1)


def softened_divergence(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Compute KL(softmax(z_t / T) || softmax(z_s / T)) (B,) of logits (B, K), without T^2.

    No gradient flows to the teacher.
    """
    ours, theirs = student / temperature, teacher.detach() / temperature
    return divergence(log_softmax(ours, dim=1), log_softmax(theirs, dim=1))
