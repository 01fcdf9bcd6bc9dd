"""Train, val and test: disjoint, stratified by class, and the same for the same seed."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Literal

import torch

from sakd.data.batches.images import Images, content_hash
from sakd.data.pictures.form import Form
from sakd.data.pictures.preprocessing import preprocessing
from sakd.data.sources.raw import RawData
from sakd.data.splits.data_card import DataCard, Splits
from sakd.data.splits.duplicates import Hashed, without_duplicates
from sakd.data.splits.sampling import draw_per_class, proportional
from sakd.foundation.errors import UserError, require
from sakd.foundation.keys import added, facts_of
from sakd.foundation.randomness import generator

logger = logging.getLogger(__name__)

FORMAT = 3
"""Part of every preparation key: raise it when a change of the code changes prepared data."""


@dataclass(frozen=True)
class Splitting:
    """How a dataset is split.

    Attributes:
        val_fraction: Share of the training images for val, in (0, 1), where it has no val images.
        test_fraction: Share of all images for test, in (0, 1), taken before val, where it has no
            test images.
        train_size: Keep this many training images, in (stratified) proportion; None for all.
        split_seed: The same seed gives the same splits.
        duplicates: Whether to drop or to keep them, see `sakd.data.splits.duplicates`.
        set_aside: Share of these training images for a split of its own, ``aside``, taken last.

    Raises:
        UserError: ``set_aside`` is out of range.
    """

    val_fraction: float
    test_fraction: float | None = None
    train_size: int | None = None
    split_seed: int = 0
    duplicates: Literal["drop", "keep"] = "drop"
    set_aside: float = added(0.0)

    def __post_init__(self) -> None:
        """Check the share that is set aside."""
        fine = 0 <= self.set_aside < 1
        require(fine, f"set_aside must be 0 or more and below 1, got {self.set_aside}")

    def check(self, *, has_test: bool | None) -> None:
        """Check that there is a share for test if the dataset has no test images.

        Args:
            has_test: See `Dataset.has_test`.

        Raises:
            UserError: There is neither.
        """
        if has_test is False:
            _share("test", self.test_fraction)


def preparation_key(fingerprint: str, splitting: Splitting) -> str:
    """Hash all that determines prepared data: ``Dataset.fingerprint``, splitting, this code."""
    content = {"format": FORMAT, "raw": fingerprint, **facts_of(splitting)}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def prepare(raw: RawData, splitting: Splitting, *, name: str, key: str = "") -> Splits:
    """Split a dataset and describe the result.

    Duplicates are left out first, see `sakd.data.splits.duplicates`, so that no image is in two
    splits. The images are then put into the order of their content, so that the order in which a
    source stores them has no influence.

    Args:
        raw: The dataset as it comes; its test and val images, if it has any, stay as they are.
        splitting: The sizes of the parts.
        name: The name of the dataset.
        key: The result of `preparation_key`, for the card.

    Raises:
        UserError: A fraction or size is out of range, or leaves a class without an image.
    """
    development = [Hashed.of(images) for images in (raw.val, raw.train) if images is not None]
    test = None if raw.test is None else Hashed.of(raw.test)
    keep = splitting.duplicates == "keep"
    development, duplicates = without_duplicates(development, test, keep=keep)
    *given, train = [part.canonical() for part in development]
    tested = None if test is None else test.canonical()
    splits = _split(train, given, tested, splitting, raw.classes)
    card = _card(raw, splits, name=name, key=key)
    _tell(card)
    return Splits(**splits, card=replace(card, duplicates=asdict(duplicates)))


def _split(
    train: Images,
    given: list[Images],
    test: Images | None,
    splitting: Splitting,
    classes: Sequence[str],
) -> dict[str, Images]:
    """Name the splits; val and test are carved from ``train`` unless they are given."""
    carve = partial(_carve, seed=splitting.split_seed, classes=classes)
    learnt = 2 if splitting.set_aside else 1  # images that a class must keep for train and aside
    if test is None:
        after = learnt if given else learnt + 1  # and for val
        train, test = carve(train, "test", splitting.test_fraction, leave=after)
    if given:
        (val,) = given
        require(len(val) > 0, "val has no image that is not in test too; add images")
        _require_images(train, 1, "to train on", classes)
    else:
        train, val = carve(train, "val", splitting.val_fraction, leave=learnt)
    train = _keep(train, splitting.train_size, seed=splitting.split_seed, classes=classes)
    if not splitting.set_aside:
        return {"train": train, "val": val, "test": test}
    train, aside = carve(train, "aside", splitting.set_aside, leave=1)
    return {"train": train, "val": val, "test": test, "aside": aside}


def _carve(
    pool: Images,
    split: str,
    fraction: float | None,
    *,
    leave: int,
    seed: int,
    classes: Sequence[str],
) -> tuple[Images, Images]:
    share = _share(split, fraction)
    counts = pool.labels.bincount(minlength=len(classes))
    _require_images(pool, 1 + leave, f"to split {split} off", classes)
    quota = proportional(counts, round(share * len(pool)))
    quota = quota.clamp(min=1).minimum(counts - leave)  # no class is absent from a split
    taken = draw_per_class(pool.labels, quota, generator(seed, split))
    rest = torch.ones(len(pool), dtype=torch.bool).index_fill(0, taken, value=False)
    return pool.subset(rest.nonzero().squeeze(1)), pool.subset(taken)


def _share(split: str, fraction: float | None) -> float:
    if fraction is None or not 0 < fraction < 1:
        found = f"there are no {split} images, so data.{split}_fraction"
        raise UserError(f"{found} must be above 0 and below 1, got {fraction}")
    return fraction


def _require_images(pool: Images, needed: int, purpose: str, classes: Sequence[str]) -> None:
    counts = pool.labels.bincount(minlength=len(classes)).tolist()
    for name, count in zip(classes, counts, strict=True):
        found = f"class {name!r} has {count} different image{'' if count == 1 else 's'} left"
        require(count >= needed, f"{found}; needed: {needed} or more {purpose}; add images")


def _keep(train: Images, size: int | None, *, seed: int, classes: Sequence[str]) -> Images:
    if size is None:
        return train
    if not len(classes) <= size <= len(train):
        raise UserError(f"train_size {size}; allowed: {len(classes)} to {len(train)}, or null")
    quota = proportional(train.labels.bincount(minlength=len(classes)), size)
    if not quota.all():
        absent = classes[int(quota.argmin())]
        raise UserError(f"train_size {size} leaves class {absent!r} without an image; raise it")
    return train.subset(draw_per_class(train.labels, quota, generator(seed, "train")))


def _card(raw: RawData, splits: dict[str, Images], *, name: str, key: str) -> DataCard:
    mean, std = raw.mean, raw.std
    if mean is None or std is None:
        mean, std = splits["train"].statistics()
    channels, height, width = raw.train.shape
    form = raw.form or Form(channels, height, width)
    counts = {
        split: tuple(images.labels.bincount(minlength=len(raw.classes)).tolist())
        for split, images in splits.items()
    }
    return DataCard(
        name=name,
        classes=raw.classes,
        channels=channels,
        height=height,
        width=width,
        mean=mean,
        std=std,
        counts=counts,
        source=raw.source,
        key=key,
        sha256=content_hash(splits.values()),
        imbalance=round(max(counts["train"]) / min(counts["train"]), 2),
        preprocessing=tuple(preprocessing(form, mean, std)),
        notes=raw.notes,
        skipped=raw.skipped,
    )


def _tell(card: DataCard) -> None:
    counts = ", ".join(f"{sum(each):,} {split}" for split, each in card.counts.items())
    mean, std = (", ".join(f"{part:.4f}" for part in each) for each in (card.mean, card.std))
    found = f"{len(card.classes)} classes, {card.channels} x {card.height} x {card.width} pixels"
    logger.info("%s: %s; %s; mean %s, std %s", card.name, found, counts, mean, std)
    if card.uneven:
        share = 100 * card.majority_share("test")
        message = "%s: the largest class has %.1f times the images of the smallest; "
        remedy = "always naming the largest class is right on %.1f %% of test"
        logger.warning(message + remedy, card.name, card.unevenness, share)
