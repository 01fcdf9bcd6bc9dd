"""Batches of training images as a pure function of seed, epoch and step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import KW_ONLY, InitVar, dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from sakd.data.batches.augment import Augment
from sakd.data.batches.groups import Groups
from sakd.data.batches.images import Images
from sakd.data.batches.mixing import Mixer, Mixture, cut_out
from sakd.data.batches.normalise import Normalise
from sakd.data.batches.views import FixedViews
from sakd.foundation.errors import require
from sakd.foundation.randomness import generator, mix

HALF = 0.5


class Batch(NamedTuple):
    """B training images with their labels, all on the stream's device.

    Attributes:
        images: (B, C, H, W) float32, augmented and normalised.
        labels: (B,) int64.
        index: (B,) int64, positions in the training set.
        seed: Mixed of (seed, epoch, step): the root of all that a training step draws.
        mixture: The labels that were mixed in, where images were mixed.
        view: (B,) int64, positions among the views of the stream where these are fixed.
        source: Gives the generator of a purpose, where one is kept from step to step; None makes
            one whenever it is asked for.
        aside: As many images of those set aside, where the stream has any; their ``index`` and
            ``view`` are positions among these.
        step: The number of the step in its epoch, from 0. A recorded step has one forever, so only
            an objective that is not `uniform` may learn by it.
    """

    images: Tensor
    labels: Tensor
    index: Tensor  # type: ignore[assignment]  # a batch has no use for tuple.index
    seed: int
    mixture: Mixture | None = None
    view: Tensor | None = None
    source: Callable[[str], torch.Generator] | None = None
    aside: Batch | None = None
    step: int = 0

    @property
    def leading_labels(self) -> Tensor:
        """The labels (B,); of a mixed image the one with the larger share."""
        if self.mixture is None:
            return self.labels
        partner, share = self.mixture
        return torch.where(share >= HALF, self.labels, partner)

    def by_labels(self, loss: Callable[[Tensor], Tensor]) -> Tensor:
        """Compute ``loss`` of the labels (B,); where images were mixed, of both in their shares."""
        own = loss(self.labels)
        if self.mixture is None:
            return own
        partner, share = self.mixture
        return share * own + (1 - share) * loss(partner)

    def draws(self, purpose: str) -> torch.Generator:
        """Give a freshly seeded generator for one ``purpose``, on the device of the images.

        It depends on the batch and the purpose alone, so that whatever one part of a step draws
        leaves the draws of the others as they are.
        """
        if self.source is not None:
            return self.source(purpose)
        return generator(self.seed, purpose, device=self.images.device)


def batch_sizes(count: int, largest: int) -> list[int]:
    """Share ``count`` images among batches of ``largest`` and one of the rest.

    A rest of one image joins the batch before it.

    >>> batch_sizes(70, 32), batch_sizes(65, 32)
    ([32, 32, 6], [32, 33])
    """
    sizes = [largest] * (count // largest)
    rest = count % largest
    if rest == 1 and sizes:
        sizes[-1] += 1
    elif rest:
        sizes.append(rest)
    return sizes


@dataclass(eq=False)
class BatchStream:
    """Every training image once per epoch, in a new order and a new view.

    The order and the views of an epoch are drawn on the CPU from (seed, epoch), so that every
    device sees the same images and an epoch does not depend on those before it. Fixed views
    (`Augment.views`) are drawn from the seed, and their choice from (seed, epoch). The last batch
    holds the rest; a rest of one image joins the batch before it, since batch norm cannot take
    the statistics of a single value.

    Attributes:
        train: The training set. Images in memory are kept on ``device``, padded, as uint8; files
            are decoded by workers, ahead of time.
        mean: Mean per channel, pixels in [0, 1]; ``std`` is the standard deviation likewise.
        batch_size: B of all batches but the last, see `batch_sizes`.
        seed: Streams of the same seed are the same.
        augment: The random changes made to the images.
        device: The device on which batches are made.
        aside: Images that are set aside: each batch then comes with one of theirs of its size,
            varied likewise. They come round by round, in orders of their own, and so several times
            in an epoch, or not all of them; streamed ones in one crop an epoch.
        groups: How images come together in batches, if not in any order: some may then be shown
            several times in an epoch, and others not at all. Those set aside are in any order.

    Raises:
        UserError: There are fewer than two training images, or images set aside; or ``batch_size``
            is below 1.
    """

    train: InitVar[Images]
    mean: Sequence[float]
    std: Sequence[float]
    _: KW_ONLY
    batch_size: int
    seed: int
    augment: Augment = field(default_factory=Augment)
    device: torch.device | str = "cpu"
    aside: InitVar[Images | None] = None
    groups: Groups | None = None

    def __post_init__(self, train: Images, aside: Images | None) -> None:
        """Put the images on the device."""
        require(self.batch_size >= 1, f"batch_size must be 1 or more, got {self.batch_size}")
        found = f"a training set of {len(train)} image{'' if len(train) == 1 else 's'}"
        require(len(train) > 1, f"{found}; needed: 2 or more; add images")
        self._sizes = batch_sizes(len(train), self.batch_size)
        self._known = train.labels.cpu()
        self._labels = train.labels.to(self.device)
        self._views = train.views(self.augment, self.device, self.seed)
        self._mixer = Mixer(self.augment)
        self._normalise = Normalise(self.mean, self.std, self.device)
        self._aside = None if aside is None else self._like(aside)

    def _like(self, aside: Images) -> BatchStream:
        return BatchStream(
            aside,
            self.mean,
            self.std,
            batch_size=self.batch_size,
            seed=mix(self.seed, "aside"),
            augment=self.augment,
            device=self.device,
        )

    def __len__(self) -> int:
        """Count the steps of an epoch."""
        return len(self._sizes)

    @property
    def fixed(self) -> int:
        """The number of views that all epochs show; 0 where every epoch has new ones."""
        return len(self._views) if isinstance(self._views, FixedViews) else 0

    def views(self) -> Iterator[Batch]:
        """Yield each fixed view once, in order; nothing where every epoch has new ones."""
        if not isinstance(self._views, FixedViews):
            return
        numbers = torch.arange(self.fixed, device=self.device)
        for view in torch.split(numbers, batch_sizes(self.fixed, self.batch_size)):
            index = view % len(self._labels)
            yield Batch(
                images=self._normalise(self._views.at(view).pixels),
                labels=self._labels[index],
                index=index,
                seed=mix(self.seed, "views"),
                view=view,
            )

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of epoch ``number``, counted from 0.

        Args:
            number: The epoch.
            start: The step to begin with, from 0. The batches are those of the whole epoch from
                there on; files of those before are not read.
        """
        batches = self._batches(number, self._sizes, start)
        if self._aside is None:
            yield from batches
            return
        along = self._aside._batches(number, self._sizes, start)
        for batch, aside in zip(batches, along, strict=True):
            yield batch._replace(aside=aside)

    def _batches(self, number: int, sizes: Sequence[int], start: int) -> Iterator[Batch]:
        """Yield batches of these ``sizes``: the images round by round, unless there are groups."""
        draws = generator(self.seed, number, "images")
        order = self._order(number, sizes, draws)
        views = self._views.epoch(order, draws, sizes, start)
        rows = torch.split(order.to(self.device), list(sizes))[start:]
        for step, (shown, index) in enumerate(zip(views, rows, strict=True), start):
            pixels = self._normalise(shown.pixels)
            images, mixture = self._vary(pixels, self._labels[index], number, step)
            yield Batch(
                images=images,
                labels=self._labels[index],
                index=index,
                seed=mix(self.seed, number, step, "objective"),
                mixture=mixture,
                view=shown.view,
                step=step,
            )

    def _order(self, number: int, sizes: Sequence[int], draws: torch.Generator) -> Tensor:
        """Order the images of an epoch, on the CPU; where in any order, by ``draws``."""
        if self.groups is not None:
            return self.groups.order(self._known, self.seed, number, sizes)
        count, total = len(self._labels), sum(sizes)
        rounds = -(-total // count)
        return torch.cat([torch.randperm(count, generator=draws) for _ in range(rounds)])[:total]

    def _vary(
        self, images: Tensor, labels: Tensor, epoch: int, step: int
    ) -> tuple[Tensor, Mixture | None]:
        """Cut out and mix normalised images (B, C, H, W)."""
        if self.augment.cutout:
            source = generator(self.seed, epoch, step, "cutout")
            images = cut_out(images, self.augment.cutout, source)
        return self._mixer(images, labels, self.seed, epoch, step, "mixture")


def evaluation_batches(
    images: Images,
    mean: Sequence[float],
    std: Sequence[float],
    *,
    batch_size: int,
    device: torch.device | str = "cpu",
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield normalised images (B, C, H, W) float32 and labels (B,) int64, in order, unvaried."""
    normalise = Normalise(mean, std, device)
    labels = torch.split(images.labels, batch_size)
    pixels = images.as_they_are(batch_size, device)
    for batch, truth in zip(pixels, labels, strict=True):
        yield normalise(batch), truth.to(device)
