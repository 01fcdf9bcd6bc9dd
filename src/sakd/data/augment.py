"""Random crop and flip of whole batches, on the device where the images are."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from sakd.errors import UserError


@dataclass(frozen=True, eq=False)
class View:
    """How each of B images is looked at.

    Attributes:
        top: (B,) int64, first row of the crop in the padded image; ``left`` the first column.
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
    """The augmentation of the CIFAR papers: pad with black, crop at random, mirror at random.

    Equal in distribution to torchvision's ``RandomCrop(size, padding)`` followed by
    ``RandomHorizontalFlip()``.

    Attributes:
        crop_padding: Pixels added on every side; the crop has the size of the image. 0: no crop.
        flip: Whether half of the images are mirrored.

    Raises:
        UserError: ``crop_padding`` is negative.
    """

    crop_padding: int = 0
    flip: bool = False

    def __post_init__(self) -> None:
        """Refuse a padding that is none."""
        if self.crop_padding < 0:
            raise UserError(f"crop_padding must be 0 pixels or more, got {self.crop_padding}")

    def draw(self, count: int, source: torch.Generator) -> View:
        """Draw ``count`` views from ``source``, on its device; offsets and flips are uniform."""
        offsets = torch.randint(
            2 * self.crop_padding + 1, (2, count), generator=source, device=source.device
        )
        coins = torch.randint(2, (count,), generator=source, device=source.device)
        return View(offsets[0], offsets[1], coins.bool() & self.flip)


class Canvas:
    """A training set padded once, of which a batch of crops, mirrored or not, is one gather."""

    def __init__(self, images: Tensor, padding: int) -> None:
        """Pad (N, C, H, W) uint8 ``images`` with ``padding`` black pixels on every side."""
        channels, height, width = images.shape[1:]
        padded = pad(images, [padding] * 4)
        self._pixels = padded.view(-1)
        self._per_image, per_channel, self._per_row, _ = padded.stride()
        # Where the rows (C, H, 1) and the columns (W,) of a crop are, from its upper left corner.
        self._columns = torch.arange(width, device=images.device)
        planes = torch.arange(channels, device=images.device) * per_channel
        rows = torch.arange(height, device=images.device) * self._per_row
        self._rows = (planes[:, None] + rows)[:, :, None]

    def crop(self, index: Tensor, view: View) -> Tensor:
        """Look at the images at ``index``, (B,) int64, through ``view``: (B, C, H, W) uint8."""
        corner = index * self._per_image + view.top * self._per_row + view.left
        columns = torch.where(view.flip[:, None], self._columns.flip(0), self._columns)
        places = self._rows + (corner[:, None] + columns)[:, None, None]
        return self._pixels.gather(0, places.view(-1)).view(places.shape)
