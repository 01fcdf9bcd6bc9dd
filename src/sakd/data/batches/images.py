"""Labelled images in memory, and the interface that they share with images in files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, Self

import torch
from torch import Tensor

from sakd.data.batches.augment import Augment, Views
from sakd.data.batches.normalise import ChannelStatistics, channel_statistics
from sakd.data.batches.views import FixedViews, MemoryViews
from sakd.foundation.randomness import generator

if TYPE_CHECKING:
    from hashlib import _Hash as Digest

IMAGE_DIMENSIONS = 4


@dataclass(frozen=True, eq=False)
class ImageSet:
    """N images of one size with their labels.

    Attributes:
        images: (N, C, H, W) uint8.
        labels: (N,) int64, counted from 0.

    Raises:
        ValueError: A shape or type is another.
    """

    images: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        """Check shapes and types once and for all."""
        if self.images.ndim != IMAGE_DIMENSIONS or self.images.dtype != torch.uint8:
            found = f"{tuple(self.images.shape)} {self.images.dtype}"
            raise ValueError(f"images must be (N, C, H, W) torch.uint8, got {found}")
        if self.labels.shape != self.images.shape[:1] or self.labels.dtype != torch.int64:
            found = f"{tuple(self.labels.shape)} {self.labels.dtype}"
            raise ValueError(f"labels must be ({len(self.images)},) torch.int64, got {found}")

    def __len__(self) -> int:
        """Count the images."""
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape (C, H, W) of every image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def subset(self, index: Tensor) -> Self:
        """Take the images at ``index``, (n,) int64 positions, in that order."""
        return replace(self, images=self.images[index], labels=self.labels[index])

    def relabelled(self, labels: Tensor) -> Self:
        """Give the images other labels, (N,) int64."""
        return replace(self, labels=labels)

    def to(self, device: torch.device | str) -> Self:
        """Move images and labels to ``device``; no copy when they are there already."""
        return replace(self, images=self.images.to(device), labels=self.labels.to(device))

    def fixed(self, augment: Augment) -> int:
        """Count the views of all images that training can show; 0 for no end of them."""
        return augment.fixed * len(self)

    def views(self, augment: Augment, device: torch.device | str, seed: int) -> Views:
        """Make training views of the images on ``device``; fixed ones are drawn from ``seed``."""
        augment.check(streamed=False)
        images = self.images.to(device)
        if not augment.fixed:
            return MemoryViews(images, augment)
        return FixedViews(images, augment, generator(seed, "views"))

    def as_they_are(self, batch_size: int, device: torch.device | str) -> Iterator[Tensor]:
        """Yield the images in order, (B, C, H, W) uint8 on ``device``."""
        for start in range(0, len(self), batch_size):
            yield self.images[start : start + batch_size].to(device)

    def digests(self) -> list[bytes]:
        """Hash the pixels of each image."""
        pixels = self.images.contiguous().numpy()
        return [hashlib.blake2b(image, digest_size=16).digest() for image in pixels]

    def feed(self, digest: Digest) -> None:
        """Update ``digest`` with sizes, pixels and labels."""
        digest.update(repr(tuple(self.images.shape)).encode())
        digest.update(self.images.cpu().contiguous().numpy().data)
        digest.update(self.labels.cpu().contiguous().numpy().data)

    def statistics(self) -> ChannelStatistics:
        """Compute mean and standard deviation of each channel, of pixels scaled to [0, 1]."""
        return channel_statistics(self.images)

    def tensors(self) -> dict[str, Tensor]:
        """Give the tensors to write, see `sakd.data.batches.prepared`."""
        return {"images": self.images.contiguous(), "labels": self.labels.contiguous()}


class Images(Protocol):
    """N labelled images, in memory or in files."""

    @property
    def labels(self) -> Tensor:
        """(N,) int64, counted from 0."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape (C, H, W) of an image as networks see it."""

    def __len__(self) -> int:
        """Count the images."""

    def subset(self, index: Tensor) -> Self:
        """Take the images at ``index``, (n,) int64 positions, in that order."""

    def relabelled(self, labels: Tensor) -> Self:
        """Give the images other labels, (N,) int64."""

    def to(self, device: torch.device | str) -> Self:
        """Move images in memory to ``device``."""

    def fixed(self, augment: Augment) -> int:
        """Count the views of all images that training can show; 0 for no end of them."""

    def views(self, augment: Augment, device: torch.device | str, seed: int) -> Views:
        """Make training views of the images on ``device``; fixed ones are drawn from ``seed``."""

    def as_they_are(self, batch_size: int, device: torch.device | str) -> Iterator[Tensor]:
        """Yield the images in order, (B, C, H, W) uint8 on ``device``."""

    def digests(self) -> list[bytes]:
        """Hash the pixels of each image; the canonical order of images is that of their hashes."""

    def feed(self, digest: Digest) -> None:
        """Update ``digest`` with all that tells these images and labels from others."""

    def statistics(self) -> ChannelStatistics:
        """Compute mean and standard deviation of each channel, of pixels scaled to [0, 1]."""

    def tensors(self) -> dict[str, Tensor]:
        """Give the tensors to write, and to read back, see `sakd.data.batches.prepared`."""


def content_hash(sets: Iterable[Images]) -> str:
    """Hash the content of ``sets``, in order, to a hexadecimal SHA-256; see `Images.feed`."""
    digest = hashlib.sha256()
    for part in sets:
        part.feed(digest)
    return digest.hexdigest()
