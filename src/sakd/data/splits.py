"""Train, val and test: disjoint, stratified by class, and the same for the same seed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch

from sakd.data.dataset import RawData
from sakd.data.images import DataCard, ImageSet, Splits, content_hash
from sakd.data.sampling import draw_per_class, proportional
from sakd.data.seeding import generator
from sakd.data.statistics import channel_statistics
from sakd.errors import UserError


def prepare(
    raw: RawData,
    *,
    name: str,
    val_fraction: float,
    test_fraction: float | None = None,
    train_size: int | None = None,
    split_seed: int = 0,
) -> Splits:
    """Split a dataset and describe the result.

    The images are first put in an order of their own (by content), so that the order in
    which a source stores them has no influence.

    Args:
        raw: The dataset as published; its test images, where it has any, stay as they are.
        name: The dataset, as in ``DATASETS``.
        val_fraction: Share of the training images for val, in (0, 1).
        test_fraction: Share of all images for test, in (0, 1), taken before val; None exactly
            where the dataset has test images of its own.
        train_size: Keep this many training images, in (stratified) proportion; None for all.
        split_seed: The same seed gives the same splits.

    Raises:
        UserError: A fraction or size is out of range, or leaves a class without an image.
    """
    train, test = _canonical(raw.train), raw.test
    if test is None:
        train, test = _carve(train, "test", test_fraction, seed=split_seed, classes=raw.classes)
    elif test_fraction is not None:
        raise UserError(f"{name} has test images; test_fraction must be null, got {test_fraction}")
    train, val = _carve(train, "val", val_fraction, seed=split_seed, classes=raw.classes)
    train = _keep(train, train_size, seed=split_seed, classes=raw.classes)
    splits = {"train": train, "val": val, "test": _canonical(test)}
    return Splits(**splits, card=_card(raw, name, splits))


def _canonical(images: ImageSet) -> ImageSet:
    pixels, labels = images.images.contiguous().numpy(), images.labels.tolist()
    digests = [hashlib.blake2b(image, digest_size=16).digest() for image in pixels]
    order = sorted(range(len(labels)), key=lambda row: (digests[row], labels[row]))
    return images.subset(torch.tensor(order, dtype=torch.int64))


def _carve(
    pool: ImageSet, split: str, fraction: float | None, *, seed: int, classes: Sequence[str]
) -> tuple[ImageSet, ImageSet]:
    if fraction is None or not 0 < fraction < 1:
        raise UserError(f"{split}_fraction must be above 0 and below 1, got {fraction}")
    counts = pool.labels.bincount(minlength=len(classes))
    quota = proportional(counts, round(fraction * len(pool)))
    for label, (count, carved) in enumerate(zip(counts.tolist(), quota.tolist(), strict=True)):
        if not 0 < carved < count:
            raise UserError(
                f"class {classes[label]!r} has {count} images, too few to carve {split} with "
                f"{split}_fraction {fraction}; change the fraction or add images"
            )
    taken = draw_per_class(pool.labels, quota, generator(seed, split))
    rest = torch.ones(len(pool), dtype=torch.bool).index_fill(0, taken, value=False)
    return pool.subset(rest.nonzero().squeeze(1)), pool.subset(taken)


def _keep(train: ImageSet, size: int | None, *, seed: int, classes: Sequence[str]) -> ImageSet:
    if size is None:
        return train
    if not len(classes) <= size <= len(train):
        raise UserError(f"train_size {size}; allowed: {len(classes)} to {len(train)}, or null")
    quota = proportional(train.labels.bincount(minlength=len(classes)), size)
    if not quota.all():
        absent = classes[int(quota.argmin())]
        raise UserError(f"train_size {size} leaves class {absent!r} without an image; raise it")
    return train.subset(draw_per_class(train.labels, quota, generator(seed, "train")))


def _card(raw: RawData, name: str, splits: dict[str, ImageSet]) -> DataCard:
    mean, std = raw.mean, raw.std
    if mean is None or std is None:
        mean, std = channel_statistics(splits["train"].images)
    channels, height, width = raw.train.shape
    return DataCard(
        name=name,
        classes=raw.classes,
        channels=channels,
        height=height,
        width=width,
        mean=mean,
        std=std,
        counts={
            split: tuple(images.labels.bincount(minlength=len(raw.classes)).tolist())
            for split, images in splits.items()
        },
        source=raw.source,
        sha256=content_hash(splits.values()),
    )
