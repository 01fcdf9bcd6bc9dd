"""Contrast with images of other classes: which ones, and what to make of them."""

from __future__ import annotations

import torch
from torch import Tensor

EPSILON = 1e-7


def draw_contrast(labels: Tensor, index: Tensor, count: int, source: torch.Generator) -> Tensor:
    """Draw images of other classes without replacement, all sets being equally likely.

    Those with the smallest random keys are taken, on the device of ``labels``.

    Args:
        labels: (N,) of all training images.
        index: (B,) positions of the images to be contrasted.
        count: K, at most the number of images of other classes.
        source: of the keys.

    Returns:
        Positions (B, 1 + K): each image itself, then the others in any order.
    """
    keys = torch.rand((len(index), len(labels)), generator=source, device=labels.device)
    keys.masked_fill_(labels == labels[index, None], 2.0)
    others = keys.topk(count, largest=False, sorted=False).indices
    return torch.cat([index[:, None], others], dim=1)


def estimation_loss(chances: Tensor, noise: float) -> Tensor:
    """Noise-contrastive loss (B,): the first of ``chances`` (B, 1 + K) is data, others are noise.

    Gutmann & Hyvarinen, AISTATS 2010; ``noise`` is K times the chance that noise gives an image.
    """
    data = chances[:, 0] / (chances[:, 0] + noise + EPSILON)
    others = noise / (chances[:, 1:] + noise + EPSILON)
    return -(data.log() + others.log().sum(dim=1))
