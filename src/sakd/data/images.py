"""Labelled images in memory, and the honest names of their splits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Protocol, Self

import torch
from torch import Tensor

from sakd.data.augment import Augment, MemoryViews, Views
from sakd.errors import UserError

IMAGE_DIMENSIONS = 4


@dataclass(frozen=True, eq=False)
class ImageSet:
    """N images of one size with their labels.

    Attributes:
        images: (N, C, H, W) uint8.
        labels: (N,) int64, counted from 0.

    Raises:
        ValueError: The shapes or types are other than these.
    """

    images: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        """Check shapes and types once, so that nobody after needs to."""
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
        """(C, H, W) of every image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def subset(self, index: Tensor) -> Self:
        """Take the images at ``index``, (n,) int64 positions, in that order."""
        return replace(self, images=self.images[index], labels=self.labels[index])

    def to(self, device: torch.device | str) -> Self:
        """Move images and labels to ``device``; no copy when they are there already."""
        return replace(self, images=self.images.to(device), labels=self.labels.to(device))

    def views(self, augment: Augment, device: torch.device | str) -> Views:
        """Make training views of the images on ``device``."""
        if augment.rand_augment:
            raise UserError(
                "rand_augment varies streamed images only, and these are in memory: set it to 0, "
                "or data.streamed to true"
            )
        return MemoryViews(self.images.to(device), augment)

    def as_they_are(self, batch_size: int, device: torch.device | str) -> Iterator[Tensor]:
        """Yield the images in order, (B, C, H, W) uint8 on ``device``."""
        for start in range(0, len(self), batch_size):
            yield self.images[start : start + batch_size].to(device)


class Images(Protocol):
    """N labelled images, in memory or in files.

    Attributes:
        labels: (N,) int64, counted from 0.
    """

    @property
    def labels(self) -> Tensor:
        """(N,) int64, counted from 0."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of what networks see."""

    def __len__(self) -> int:
        """Count the images."""

    def subset(self, index: Tensor) -> Self:
        """Take the images at ``index``, (n,) int64 positions, in that order."""

    def to(self, device: torch.device | str) -> Self:
        """Move what is in memory to ``device``."""

    def views(self, augment: Augment, device: torch.device | str) -> Views:
        """Make training views of the images on ``device``."""

    def as_they_are(self, batch_size: int, device: torch.device | str) -> Iterator[Tensor]:
        """Yield the images in order, (B, C, H, W) uint8 on ``device``."""


def content_hash(sets: Iterable[ImageSet]) -> str:
    """Hash sizes, pixels and labels of ``sets``, in order, to a hexadecimal SHA-256."""
    digest = hashlib.sha256()
    for part in sets:
        digest.update(repr(tuple(part.images.shape)).encode())
        digest.update(part.images.cpu().contiguous().numpy().data)
        digest.update(part.labels.cpu().contiguous().numpy().data)
    return digest.hexdigest()


@dataclass(frozen=True)
class DataCard:
    """What prepared data is, in a form that people and JSON can read.

    Attributes:
        name: The dataset, as in ``DATASETS``.
        classes: Class names; a label is a position in it.
        channels: C of every image; ``height`` and ``width`` in pixels.
        mean: Mean per channel, pixels in [0, 1]; ``std`` is the standard deviation likewise.
        counts: Images per class, for each of train, val and test.
        source: Where the images came from, in words.
        key: Hash of what it was prepared from and how, see ``preparation_key``.
        sha256: Hash of the content of the three splits, see ``content_hash``.
        imbalance: Training images of the largest class per one of the smallest.
        duplicates: Images found more than once, see `sakd.data.duplicates`.
    """

    name: str
    classes: tuple[str, ...]
    channels: int
    height: int
    width: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    counts: Mapping[str, tuple[int, ...]]
    source: str
    key: str
    sha256: str
    imbalance: float = 1.0
    duplicates: Mapping[str, int] = field(default_factory=dict)

    @property
    def normalisation(self) -> list[list[float]]:
        """Mean and standard deviation, for keys: to a digit that is the same on every machine."""
        return [[round(part, 6) for part in each] for each in (self.mean, self.std)]

    def to_json(self) -> dict[str, Any]:
        """Give the card as a dictionary of what JSON can hold."""
        counts = {split: list(count) for split, count in self.counts.items()}
        lists = {key: list(getattr(self, key)) for key in ("classes", "mean", "std")}
        return asdict(self) | lists | {"counts": counts}

    @classmethod
    def from_json(cls, card: Mapping[str, Any]) -> DataCard:
        """Read back what ``to_json`` gave.

        Raises:
            UserError: An entry is missing or unknown: another version wrote the card.
        """
        differing = {entry.name for entry in fields(cls)} ^ set(card)
        if differing:
            entries = ", ".join(sorted(differing))
            raise UserError(f"data card with missing or unknown {entries}; prepare the data again")
        counts = {split: tuple(count) for split, count in card["counts"].items()}
        tuples = {key: tuple(card[key]) for key in ("classes", "mean", "std")}
        return cls(**{**card, **tuples, "counts": counts})


@dataclass(frozen=True, eq=False)
class Splits:
    """The three disjoint parts of a dataset.

    Attributes:
        train: Images to learn from.
        val: Images to choose by, carved from the training images.
        test: Images to report on, read once, in evaluation.
        card: What the three hold.
    """

    train: ImageSet
    val: ImageSet
    test: ImageSet
    card: DataCard
