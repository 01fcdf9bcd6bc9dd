"""Handwritten digits that come with scikit-learn: 1,797 real images, no download."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch

from sakd.data.batches.images import ImageSet
from sakd.data.sources.base import Dataset, Outline
from sakd.data.sources.raw import RawData
from sakd.foundation.errors import UserError
from sakd.foundation.extras import from_extra, require_extra

LEVELS = 16  # the stored pixels count ink in 4 x 4 blocks: 0..16


class Digits(Dataset):
    """Optical recognition of handwritten digits, 10 classes of 8 x 8 grey images.

    Alpaydin & Kaynak, UCI Machine Learning Repository, 1998, doi:10.24432/C50P49 (the part
    bundled with scikit-learn). Pixels 0..16 are scaled to 0..255. It has no test split of its own.
    """

    name: ClassVar[str] = "digits"
    sources: ClassVar[tuple[str, ...]] = ("bundled",)

    def __post_init__(self) -> None:
        """Refuse a path and a download: the images are installed with scikit-learn."""
        super().__post_init__()
        if self.path is not None:
            raise UserError(f"digits is bundled and reads no path, got {self.path}; leave it empty")
        if self.download:
            raise UserError("digits is bundled and needs no download; set download to false")

    def check(self) -> None:
        """Check that scikit-learn is there, with which the images are installed.

        Raises:
            UserError: It is not.
        """
        require_extra("data", "sklearn")

    def files(self) -> tuple[Path, ...]:
        """None: the images are part of scikit-learn."""
        return ()

    def outline(self) -> Outline:
        """Give the size."""
        return Outline(classes=10, shape=(1, 8, 8), train=1797, test=None)

    def read(self) -> RawData:
        """Read the 1,797 images."""
        bunch = from_extra("data", "sklearn.datasets").load_digits()
        images = torch.from_numpy(bunch.images).mul(255 / LEVELS).round().to(torch.uint8)
        labels = torch.from_numpy(bunch.target).long()
        classes = tuple(str(digit) for digit in range(10))
        return RawData(ImageSet(images[:, None], labels), None, classes, "scikit-learn load_digits")
