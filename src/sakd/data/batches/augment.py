"""Random crop and flip of whole batches, on the device where the images are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import pad

from sakd.foundation.errors import require

UNITS = {"crop_padding": " pixels", "cutout": " pixels", "mixup": "", "cutmix": ""}
UNITS |= {"rand_augment": " operations"}


@dataclass(frozen=True, eq=False)
class View:
    """The crops of B images.

    Attributes:
        top: (B,) int64, first row of each crop in the padded image; ``left`` is the first column.
        flip: (B,) bool, whether the crop is mirrored left to right.
    """

    top: Tensor
    left: Tensor
    flip: Tensor

    def __getitem__(self, rows: slice) -> View:
        """Take the views of ``rows``."""
        return View(self.top[rows], self.left[rows], self.flip[rows])

    def to(self, device: torch.device | str) -> View:
        """Move the view to ``device``."""
        return View(self.top.to(device), self.left.to(device), self.flip.to(device))


@dataclass(frozen=True)
class Augment:
    """The random changes made to training images.

    Crop and flip are the augmentation of the CIFAR papers: pad with black, crop at random, mirror
    at random; equal in distribution to torchvision's ``RandomCrop(size, padding)`` followed by
    ``RandomHorizontalFlip()``. The others are off by default.

    Attributes:
        crop_padding: Pixels added on every side; the crop has the size of the image. 0 is off.
        flip: Whether half of the images are mirrored.
        cutout: Side of a square that is blanked in every image, in pixels; 0 is off.
        mixup: Parameter alpha of mixup, see `sakd.data.batches.mixing`; 0 is off.
        cutmix: Parameter alpha of cutmix, likewise.
        rand_augment: Number of operations of RandAugment (Cubuk et al., NeurIPS 2020,
            arXiv:1909.13719) of magnitude 9, for streamed images only; 0 is off.

    Raises:
        UserError: A number is negative.
    """

    crop_padding: int = 0
    flip: bool = False
    cutout: int = 0
    mixup: float = 0.0
    cutmix: float = 0.0
    rand_augment: int = 0

    def __post_init__(self) -> None:
        """Refuse negative numbers."""
        for name, unit in UNITS.items():
            amount = getattr(self, name)
            require(amount >= 0, f"{name} must be 0{unit} or more, got {amount}")

    def check(self, *, streamed: bool) -> None:
        """Check that the changes can be made to streamed images, or to images in memory.

        Raises:
            UserError: One of them is made to images of the other kind only.
        """
        require(
            not streamed or self.crop_padding == 0,
            f"crop_padding {self.crop_padding}: streamed images are cropped at random sizes "
            "instead; set augment.crop_padding of teacher and student to 0",
        )
        require(
            streamed or self.rand_augment == 0,
            "rand_augment varies streamed images only, and these are in memory: set it to 0, or "
            "data.streamed to true",
        )

    def draw(self, count: int, source: torch.Generator) -> View:
        """Draw the crops of ``count`` images, uniformly, from ``source`` and on its device."""
        offsets = torch.randint(
            2 * self.crop_padding + 1, (2, count), generator=source, device=source.device
        )
        coins = torch.randint(2, (count,), generator=source, device=source.device)
        return View(offsets[0], offsets[1], coins.bool() & self.flip)


class Canvas:
    """A training set that is padded once; a batch of crops, mirrored or not, is one gather."""

    def __init__(self, images: Tensor, padding: int) -> None:
        """Pad (N, C, H, W) uint8 ``images`` with ``padding`` black pixels on every side."""
        channels, height, width = images.shape[1:]
        padded = pad(images, [padding] * 4)
        self._pixels = padded.view(-1)
        self._per_image, per_channel, self._per_row, _ = padded.stride()
        # Offsets of the rows (C, H, 1) and of the columns (W,) from a crop's upper left corner.
        self._columns = torch.arange(width, device=images.device)
        planes = torch.arange(channels, device=images.device) * per_channel
        rows = torch.arange(height, device=images.device) * self._per_row
        self._rows = (planes[:, None] + rows)[:, :, None]

    def crop(self, index: Tensor, view: View) -> Tensor:
        """Crop the images at ``index``, (B,) int64, to ``view``; gives (B, C, H, W) uint8."""
        corner = index * self._per_image + view.top * self._per_row + view.left
        columns = torch.where(view.flip[:, None], self._columns.flip(0), self._columns)
        places = self._rows + (corner[:, None] + columns)[:, None, None]
        return self._pixels.gather(0, places.view(-1)).view(places.shape)


class Views(Protocol):
    """Training images as a network sees them, epoch by epoch."""

    def epoch(
        self, order: Tensor, draws: torch.Generator, sizes: Sequence[int]
    ) -> Iterator[Tensor]:
        """Yield the batches of an epoch: (B, C, H, W) uint8.

        Args:
            order: (N,) int64 on the CPU, the positions of the images in the order of use.
            draws: Generator on the CPU; the views are drawn from it, or from its seed.
            sizes: B of each batch; their sum is N.
        """


class MemoryViews:
    """Random crops and flips of images in memory."""

    def __init__(self, images: Tensor, augment: Augment) -> None:
        """Pad ``images`` (N, C, H, W) uint8 on their device."""
        self._canvas = Canvas(images, augment.crop_padding)
        self._augment, self._device = augment, images.device

    def epoch(
        self, order: Tensor, draws: torch.Generator, sizes: Sequence[int]
    ) -> Iterator[Tensor]:
        """Yield the batches, see `Views.epoch`."""
        views = self._augment.draw(len(order), draws).to(self._device)
        order, first = order.to(self._device), 0
        for size in sizes:
            rows = slice(first, first + size)
            yield self._canvas.crop(order[rows], views[rows])
            first += size
