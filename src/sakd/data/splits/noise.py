"""Noise in place of images that are not there yet, to measure what training on them would take."""

from __future__ import annotations

from math import prod

import torch

from sakd.data.batches.images import ImageSet
from sakd.data.sources.base import Outline
from sakd.data.splits.data_card import DataCard, Splits
from sakd.data.splits.splitting import Splitting


def noise(outline: Outline, splitting: Splitting, *, name: str) -> Splits:
    """Make splits of noise, as large as those of a dataset of the size ``outline``.

    Duplicates are not known before the images are read, so none is left out. The images overlap in
    memory: each is a window on one row of random bytes, a byte further than the one before it.

    Args:
        outline: The size of the dataset.
        splitting: How it is split.
        name: The name of the dataset.
    """
    test = round((splitting.test_fraction or 0) * outline.train)
    train = outline.train - (test if outline.test is None else 0)
    val = round(splitting.val_fraction * train)
    kept = splitting.train_size or train - val
    aside = round(splitting.set_aside * kept)
    sizes = {
        "train": kept - aside,
        "val": val,
        "test": test if outline.test is None else outline.test,
    }
    if aside:
        sizes["aside"] = aside
    # Of real images, too, a share of next to nothing is one image at least.
    parts = {split: _images(max(count, 1), outline) for split, count in sizes.items()}
    channels, height, width = outline.shape
    card = DataCard(
        name=name,
        classes=tuple(map(str, range(outline.classes))),
        channels=channels,
        height=height,
        width=width,
        mean=(0.5,) * channels,
        std=(0.3,) * channels,
        counts={
            split: tuple(images.labels.bincount(minlength=outline.classes).tolist())
            for split, images in parts.items()
        },
        source="noise",
        key="",
        sha256="",
    )
    return Splits(**parts, card=card)


def _images(count: int, outline: Outline) -> ImageSet:
    size = prod(outline.shape)
    source = torch.Generator().manual_seed(0)
    row = torch.randint(256, (count + size - 1,), dtype=torch.uint8, generator=source)
    images = row.unfold(0, size, 1).view(count, *outline.shape)
    return ImageSet(images, torch.arange(count) % outline.classes)
