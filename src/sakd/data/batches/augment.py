"""Random crop and flip of whole batches, on the device where the images are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn.functional import pad

from sakd.foundation.errors import require
from sakd.foundation.keys import added

UNITS = {"crop_padding": " pixels", "cutout": " pixels", "mixup": "", "cutmix": ""}
UNITS |= {"rand_augment": " operations", "views": ""}

LARGEST = 4096
"""The most pixels, or the largest parameter, of a change."""

AFRESH = ("cutout", "mixup", "cutmix")
"""The changes that are drawn afresh in every step."""


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

    def __getitem__(self, rows: slice | Tensor) -> View:
        """Take the views of ``rows``, a slice or (B,) int64 positions."""
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
        views: Number of crops of each image that are drawn once; every epoch shows one of them,
            drawn for each image. 0 draws a new crop in every epoch. For images in memory only,
            without cutout, mixup and cutmix.

    Raises:
        UserError: A number is out of range, or views are fixed and varied at the same time.
    """

    crop_padding: int = 0
    flip: bool = False
    cutout: int = 0
    mixup: float = 0.0
    cutmix: float = 0.0
    rand_augment: int = 0
    views: int = added(0)

    def __post_init__(self) -> None:
        """Refuse negative numbers, and changes of views that are fixed."""
        for name, unit in UNITS.items():
            amount = getattr(self, name)
            fine = 0 <= amount <= LARGEST
            require(fine, f"{name} must be 0{unit} or more, at most {LARGEST}, got {amount}")
        for name in AFRESH:
            require(
                not (self.views and getattr(self, name)),
                f"views {self.views}: {name} changes images in every step, so no view of them is "
                f"fixed; set views or {name} to 0",
            )

    @property
    def fixed(self) -> int:
        """The number of views that an image in memory has in all epochs; 0 for no end of them."""
        varied = self.crop_padding or self.flip or any(getattr(self, name) for name in AFRESH)
        return self.views or (0 if varied else 1)

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
        require(
            not (streamed and self.views),
            f"views {self.views}: streamed images are cropped afresh in every epoch; set "
            "augment.views to 0, or data.streamed to false",
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


class Shown(NamedTuple):
    """A batch of images before they are normalised.

    Attributes:
        pixels: (B, C, H, W) uint8.
        view: (B,) int64, their positions among all views where these are fixed; else None.
    """

    pixels: Tensor
    view: Tensor | None = None


class Views(Protocol):
    """Training images as a network sees them, epoch by epoch."""

    def epoch(
        self, order: Tensor, draws: torch.Generator, sizes: Sequence[int], start: int
    ) -> Iterator[Shown]:
        """Yield the batches of an epoch.

        Args:
            order: (N,) int64 on the CPU, the positions of the images in the order of use.
            draws: Generator on the CPU; the views are drawn from it, or from its seed.
            sizes: B of each batch; their sum is N.
            start: The batch to begin with, from 0.
        """
