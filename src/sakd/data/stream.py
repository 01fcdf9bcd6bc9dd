"""Batches of training images as a pure function of seed, epoch and step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, InitVar, dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from sakd.data.augment import Augment, Canvas
from sakd.data.images import ImageSet
from sakd.data.seeding import generator
from sakd.data.statistics import Normalise
from sakd.errors import UserError


class Batch(NamedTuple):
    """B training images and what comes with them, all on the stream's device.

    Attributes:
        images: (B, C, H, W) float32, augmented and normalised.
        labels: (B,) int64.
        index: (B,) int64, positions in the training set.
        generator: Seeded by (seed, epoch, step); what a training step draws, it draws from here.
    """

    images: Tensor
    labels: Tensor
    index: Tensor  # type: ignore[assignment]  # a batch has no use for tuple.index
    generator: torch.Generator


@dataclass(eq=False)
class BatchStream:
    """Every training image once per epoch, in a new order and a new view.

    The order and the views of an epoch are drawn on the CPU from (seed, epoch), so that every
    device sees the same images and any step can be reached without those before it. The last
    batch holds what is left.

    Attributes:
        train: The training set; it is kept on ``device``, padded, as uint8.
        mean: Mean per channel, pixels in [0, 1]; ``std`` is the standard deviation likewise.
        batch_size: B of all batches but the last.
        seed: Streams of the same seed are the same.
        augment: How the images are varied.
        device: Where the batches are made.

    Raises:
        UserError: The training set is empty, or ``batch_size`` is below 1.
    """

    train: InitVar[ImageSet]
    mean: Sequence[float]
    std: Sequence[float]
    _: KW_ONLY
    batch_size: int
    seed: int
    augment: Augment = field(default_factory=Augment)
    device: torch.device | str = "cpu"

    def __post_init__(self, train: ImageSet) -> None:
        """Put the training set on the device."""
        if self.batch_size < 1:
            raise UserError(f"batch_size must be 1 or more, got {self.batch_size}")
        if not len(train):
            raise UserError("the training set is empty; give it at least one image")
        train = train.to(self.device)
        self._labels = train.labels
        self._canvas = Canvas(train.images, self.augment.crop_padding)
        self._normalise = Normalise(self.mean, self.std, self.device)

    def __len__(self) -> int:
        """Count the steps of an epoch."""
        return math.ceil(len(self._labels) / self.batch_size)

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of epoch ``number``, from step ``start`` (counted from 0) on."""
        draws = generator(self.seed, number, "images")
        order = torch.randperm(len(self._labels), generator=draws).to(self.device)
        views = self.augment.draw(len(order), draws).to(self.device)
        for step in range(start, len(self)):
            rows = slice(step * self.batch_size, (step + 1) * self.batch_size)
            index = order[rows]
            yield Batch(
                images=self._normalise(self._canvas.crop(index, views[rows])),
                labels=self._labels[index],
                index=index,
                generator=generator(self.seed, number, step, "objective", device=self.device),
            )


def evaluation_batches(
    images: ImageSet,
    mean: Sequence[float],
    std: Sequence[float],
    *,
    batch_size: int,
    device: torch.device | str = "cpu",
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield normalised images (B, C, H, W) float32 and labels (B,), in order, as they are."""
    normalise = Normalise(mean, std, device)
    for start in range(0, len(images), batch_size):
        rows = slice(start, start + batch_size)
        yield normalise(images.images[rows].to(device)), images.labels[rows].to(device)
