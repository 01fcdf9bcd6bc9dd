"""Contrast with images of other classes: their choice, and the loss."""

from __future__ import annotations

import torch
from torch import Tensor

EPSILON = 1e-7


def draw_contrast(labels: Tensor, index: Tensor, count: int, source: torch.Generator) -> Tensor:
    """Draw images of other classes without replacement, every set being equally likely.

    Each image gets a random key, on the device of ``labels``; the smallest keys are taken.

    Args:
        labels: Labels (N,) of all training images.
        index: Positions (B,) of the images to contrast.
        count: K, at most the number of images of other classes.
        source: Generator of the keys.

    Returns:
        Positions (B, 1 + K): each image itself, then the others in any order.
    """
    keys = torch.rand((len(index), len(labels)), generator=source, device=labels.device)
    keys.masked_fill_(labels == labels[index, None], 2.0)
    others = keys.topk(count, largest=False, sorted=False).indices
    return torch.cat([index[:, None], others], dim=1)


def estimation_loss(chances: Tensor, noise: float) -> Tensor:
    """Compute the loss of noise-contrastive estimation.

    Gutmann & Hyvarinen, AISTATS 2010.

    Args:
        chances: (..., 1 + K), the first of data and the others of noise.
        noise: K times the probability of an image under the noise.

    Returns:
        The loss (...).
    """
    data = chances[..., 0] / (chances[..., 0] + noise + EPSILON)
    others = noise / (chances[..., 1:] + noise + EPSILON)
    return -(data.log() + others.log().sum(dim=-1))
