"""Augmentation of normalised batches: cutout, mixup, cutmix."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sakd.data.batches.augment import Augment
from sakd.foundation.machine import send
from sakd.foundation.randomness import generator, mix


class Mixture(NamedTuple):
    """The labels that were mixed into a batch.

    Attributes:
        partner: (B,) int64, labels of the images mixed in.
        share: The share of the image's own label, a scalar for all images or (B,) of each;
            1 - share is its partner's.
    """

    partner: Tensor
    share: Tensor


def cut_out(images: Tensor, side: int, source: torch.Generator) -> Tensor:
    """Set a square of every image to 0, the mean colour.

    DeVries & Taylor, 2017, arXiv:1708.04552: the centre is uniform over all pixels, and the square
    may reach beyond the image. (torchvision's ``RandomErasing`` has rectangles of random shape
    within the image.) Differs from the authors' code: odd sides are not shortened by a pixel.

    Args:
        images: (B, C, H, W) normalised.
        side: Side of the square, in pixels.
        source: Generator on the CPU, which draws the centres.

    Returns:
        (B, C, H, W), new.
    """
    hidden = torch.ones(1, dtype=torch.bool)
    for axis, size in ((2, images.shape[2]), (3, images.shape[3])):
        centre = torch.randint(size, (len(images), 1), generator=source)
        first = centre - side // 2
        place = torch.arange(size)
        inside = (place >= first) & (place < first + side)
        shape = [len(images), 1, 1, 1]
        shape[axis] = size
        hidden = hidden & inside.view(shape)
    return images.masked_fill(send(hidden, images.device), 0)


class Mixer:
    """Mixes every image of a batch with another image of the batch, by mixup or by cutmix.

    Mixup (Zhang et al., ICLR 2018, arXiv:1710.09412): share x + (1 - share) x'.
    Cutmix (Yun et al., ICCV 2019, arXiv:1905.04899): a rectangle of x' over x, its area 1 - share.
    The share of a batch is drawn from Beta(alpha, alpha). If both are on, a fair coin chooses one
    for each batch. Both networks of a distillation see the mixed images.
    """

    def __init__(self, augment: Augment) -> None:
        """Use the mixup and cutmix of ``augment``."""
        chosen = {_mixup: augment.mixup, _cutmix: augment.cutmix}
        self._kinds = [(kind, alpha) for kind, alpha in chosen.items() if alpha > 0]

    def __call__(
        self, images: Tensor, labels: Tensor, *seed: int | str
    ) -> tuple[Tensor, Mixture | None]:
        """Mix ``images`` (B, C, H, W) with ``labels`` (B,), as a pure function of ``seed``."""
        if not self._kinds:
            return images, None
        dice = np.random.default_rng(mix(*seed))
        kind, alpha = self._kinds[dice.integers(len(self._kinds))]
        order = send(torch.randperm(len(images), generator=generator(*seed)), images.device)
        mixed, share = kind(images, images[order], dice.beta(alpha, alpha), dice)
        return mixed, Mixture(labels[order], images.new_full((), share))


def _mixup(
    images: Tensor, others: Tensor, share: float, _dice: np.random.Generator
) -> tuple[Tensor, float]:
    return images * share + others * (1 - share), share


def _cutmix(
    images: Tensor, others: Tensor, share: float, dice: np.random.Generator
) -> tuple[Tensor, float]:
    height, width = images.shape[2:]
    top, bottom = _span(height, share, dice)
    left, right = _span(width, share, dice)
    mixed = images.clone()
    mixed[:, :, top:bottom, left:right] = others[:, :, top:bottom, left:right]
    return mixed, 1 - (bottom - top) * (right - left) / (height * width)


def _span(size: int, share: float, dice: np.random.Generator) -> tuple[int, int]:
    """First and last row (or column) of the rectangle, cut off at the border of the image."""
    half = int(size * (1 - share) ** 0.5) // 2
    centre = int(dice.integers(size))
    return max(0, centre - half), min(size, centre + half)
