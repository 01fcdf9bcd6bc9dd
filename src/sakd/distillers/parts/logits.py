"""Shared by the distillers of the logits."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import kl_div

from sakd.distillers.base import Pair
from sakd.foundation.errors import require

SMALLEST_VARIANCE = 1e-6
BINARY = 2


def standardised(logits: Tensor) -> Tensor:
    """Compute z-scores (B, K) of logits (B, K): minus their mean, over their deviation.

    Sun et al., CVPR 2024, arXiv:2403.01427, at temperature 1. As in the authors' code the
    variance divides by K - 1. The deviation is at least 1e-3, where that code adds 1e-7 to it, so
    that equal logits have a gradient.
    """
    centred = logits - logits.mean(dim=1, keepdim=True)
    variance = centred.square().sum(dim=1, keepdim=True) / (logits.shape[1] - 1)
    return centred * variance.clamp(min=SMALLEST_VARIANCE).rsqrt()


def divergence(student: Tensor, teacher: Tensor) -> Tensor:
    """Compute KL(teacher || student) (B,) of log-probabilities (B, K)."""
    return kl_div(student, teacher, reduction="none", log_target=True).sum(dim=1)


def require_effect(pair: Pair, setting: str, *, asked: bool, remedy: str) -> None:
    """Refuse a setting of a term that is constant on two classes, and so trains nothing.

    Args:
        pair: The logits that are compared.
        setting: The option and its value.
        asked: Whether the term counts.
        remedy: The way out.

    Raises:
        UserError: The term counts, and there are only two classes.
    """
    classes = pair.student_shapes[0][0]
    complaint = f"{setting} has no effect on {classes} classes, for its term is constant: {remedy}"
    require(not asked or classes != BINARY, complaint)
