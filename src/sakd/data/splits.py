"""Train, val and test: disjoint, stratified by class, and the same for the same seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch

from sakd.data.dataset import RawData
from sakd.data.images import DataCard, ImageSet, Splits, content_hash
from sakd.data.sampling import draw_per_class, proportional
from sakd.data.seeding import generator
from sakd.data.statistics import channel_statistics
from sakd.errors import UserError

FORMAT = 1
"""Part of every preparation key: raise it when a change of the code changes prepared data."""


@dataclass(frozen=True)
class Splitting:
    """How a dataset is split.

    Attributes:
        val_fraction: Share of the training images for val, in (0, 1).
        test_fraction: Share of all images for test, in (0, 1), taken before val; None exactly
            where the dataset has test images of its own.
        train_size: Keep this many training images, in (stratified) proportion; None for all.
        split_seed: The same seed gives the same splits.
    """

    val_fraction: float
    test_fraction: float | None = None
    train_size: int | None = None
    split_seed: int = 0


def preparation_key(fingerprint: str, splitting: Splitting) -> str:
    """Hash all that determines prepared data: ``Dataset.fingerprint``, splitting, this code."""
    content = {"format": FORMAT, "raw": fingerprint, **asdict(splitting)}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def prepare(raw: RawData, splitting: Splitting, *, name: str, key: str = "") -> Splits:
    """Split a dataset and describe the result.

    The images are first put in an order of their own (by content), so that the order in
    which a source stores them has no influence.

    Args:
        raw: The dataset as published; its test images, where it has any, stay as they are.
        splitting: Into what parts.
        name: The dataset, as in ``DATASETS``.
        key: ``preparation_key``, for the card; empty where nobody will look for it.

    Raises:
        UserError: A fraction or size is out of range, or leaves a class without an image.
    """
    train, test = _canonical(raw.train), raw.test
    seed, classes, share = splitting.split_seed, raw.classes, splitting.test_fraction
    if test is None:
        train, test = _carve(train, "test", share, seed=seed, classes=classes)
    elif share is not None:
        raise UserError(f"{name} has test images; test_fraction must be null, got {share}")
    train, val = _carve(train, "val", splitting.val_fraction, seed=seed, classes=classes)
    train = _keep(train, splitting.train_size, seed=seed, classes=classes)
    splits = {"train": train, "val": val, "test": _canonical(test)}
    return Splits(**splits, card=_card(raw, splits, name=name, key=key))


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


def _card(raw: RawData, splits: dict[str, ImageSet], *, name: str, key: str) -> DataCard:
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
        key=key,
        sha256=content_hash(splits.values()),
    )
