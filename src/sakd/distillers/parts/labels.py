"""Shared by the distillers that look at labels."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from sakd.data import Batch


def label_losses(logits: Tensor, batch: Batch) -> Tensor:
    """Compute the cross-entropy (B,) of ``logits`` (B, K) with the labels of ``batch``."""
    return batch.by_labels(partial(cross_entropy, logits, reduction="none"))


def shifted(logits: Tensor, labels: Tensor) -> Tensor:
    """Exchange the largest of ``logits`` (B, K) with that of the label, of ``labels`` (B,)."""
    top, label = logits.argmax(dim=1, keepdim=True), labels[:, None]
    places = torch.arange(logits.shape[1], device=logits.device).expand_as(logits)
    return logits.gather(1, places.scatter(1, top, label).scatter(1, label, top))


def corrected(log_chances: Tensor, labels: Tensor, epsilon: float) -> Tensor:
    """Replace log-probabilities (B, K) whose largest is not that of the label, of ``labels`` (B,).

    The label gets the probability 1 - ``epsilon``, and the others share ``epsilon``.
    """
    right = log_chances.argmax(dim=1) == labels
    others = torch.full_like(log_chances, math.log(epsilon / (log_chances.shape[1] - 1)))
    smooth = others.scatter(1, labels[:, None], math.log1p(-epsilon))
    return torch.where(right[:, None], log_chances, smooth)
