"""Views of images in memory: drawn afresh in every epoch, or fixed ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from sakd.data.batches.augment import Augment, Canvas, Shown
from sakd.foundation.machine import send


class MemoryViews:
    """Random crops and flips of images in memory, new ones in every epoch."""

    def __init__(self, images: Tensor, augment: Augment) -> None:
        """Pad ``images`` (N, C, H, W) uint8 on their device."""
        self._canvas = Canvas(images, augment.crop_padding)
        self._augment, self._device = augment, images.device

    def epoch(
        self, order: Tensor, draws: torch.Generator, sizes: Sequence[int], start: int
    ) -> Iterator[Shown]:
        """Yield the batches, see `sakd.data.batches.augment.Views.epoch`."""
        views = self._augment.draw(len(order), draws).to(self._device)
        order, first = order.to(self._device), sum(sizes[:start])
        for size in sizes[start:]:
            rows = slice(first, first + size)
            yield Shown(self._canvas.crop(order[rows], views[rows]))
            first += size


class FixedViews:
    """Random crops and flips of images in memory that are drawn once, equally many of each image.

    The views are counted round by round: view ``v`` is of image ``v % N``. They may be unvaried
    images, one view of each.
    """

    def __init__(self, images: Tensor, augment: Augment, source: torch.Generator) -> None:
        """Pad ``images`` (N, C, H, W) uint8 on their device; draw the views from ``source``."""
        self._canvas = Canvas(images, augment.crop_padding)
        self._images, self._rounds, self._device = len(images), augment.fixed, images.device
        self._drawn = augment.draw(len(self), source).to(self._device)

    def __len__(self) -> int:
        """Count the views of all images."""
        return self._rounds * self._images

    def at(self, view: Tensor) -> Shown:
        """Show the views at ``view``, (B,) int64."""
        return Shown(self._canvas.crop(view % self._images, self._drawn[view]), view)

    def epoch(
        self, order: Tensor, draws: torch.Generator, sizes: Sequence[int], start: int
    ) -> Iterator[Shown]:
        """Draw a view of each image and yield the batches, see `Views.epoch` of `augment`."""
        rounds = torch.randint(self._rounds, (len(order),), generator=draws)
        chosen = send(rounds * self._images + order, self._device)
        return map(self.at, torch.split(chosen, list(sizes))[start:])
