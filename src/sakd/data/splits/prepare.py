"""Train, val and test: disjoint, stratified by class, and the same for the same seed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial

import torch
from torch import Tensor

from sakd.data.batches.images import Images, content_hash
from sakd.data.pictures.form import Form
from sakd.data.pictures.preprocessing import preprocessing
from sakd.data.sources.raw import RawData
from sakd.data.splits.data_card import DataCard, Splits
from sakd.data.splits.duplicates import Hashed, without_duplicates
from sakd.data.splits.sampling import draw_per_class, folds, proportional
from sakd.data.splits.splitting import Splitting, share_of
from sakd.foundation.errors import UserError, require
from sakd.foundation.randomness import generator

logger = logging.getLogger(__name__)


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
    if splitting.fold is not None:
        taken = f"split {splitting.fold} of those that test images in turn"
        note = f"{taken}; {splitting.folds} in a row test every image once"
        card = replace(card, notes=(*card.notes, note))
    _tell(card, splitting.title(name))
    return Splits(**splits, card=replace(card, duplicates=asdict(duplicates)))


def _split(
    train: Images,
    given: list[Images],
    test: Images | None,
    splitting: Splitting,
    classes: Sequence[str],
) -> dict[str, Images]:
    """Name the splits; val and test are carved from ``train`` unless they are given."""
    splitting.check(has_test=test is not None)
    seed = splitting.drawn_by
    carve = partial(_carve, seed=seed, classes=classes)
    learnt = 2 if splitting.set_aside else 1  # images that a class must keep for train and aside
    if test is None:
        after = learnt if given else learnt + 1  # and for val
        if splitting.fold is None:
            train, test = carve(train, "test", splitting.test_fraction, leave=after)
        else:
            train, test = _take_turn(train, splitting, splitting.fold, classes)
    if given:
        (val,) = given
        require(len(val) > 0, "val has no image that is not in test too; add images")
        _require_images(train, 1, "to train on", classes)
    else:
        train, val = carve(train, "val", splitting.val_fraction, leave=learnt)
    train = _keep(train, splitting.train_size, seed=seed, classes=classes)
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
    share = share_of(split, fraction)
    counts = pool.labels.bincount(minlength=len(classes))
    _require_images(pool, 1 + leave, f"to split {split} off", classes)
    quota = proportional(counts, round(share * len(pool)))
    quota = quota.clamp(min=1).minimum(counts - leave)  # no class is absent from a split
    taken = draw_per_class(pool.labels, quota, generator(seed, split))
    return _parted(pool, torch.zeros(len(pool), dtype=torch.bool).index_fill(0, taken, value=True))


def _take_turn(
    pool: Images, splitting: Splitting, fold: int, classes: Sequence[str]
) -> tuple[Images, Images]:
    """Split off the test images of a fold."""
    count = splitting.folds
    _require_images(pool, count, f"to test images in {count} turns", classes)
    lap, turn = divmod(fold, count)
    parts = folds(pool.labels, count, generator(splitting.split_seed, "folds", lap))
    return _parted(pool, parts == turn)


def _parted(pool: Images, taken: Tensor) -> tuple[Images, Images]:
    """Give the rest of ``pool``, and the images that are ``taken``, (N,) bool."""
    rest, part = (chosen.nonzero().squeeze(1) for chosen in (~taken, taken))
    return pool.subset(rest), pool.subset(part)


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


def _tell(card: DataCard, title: str) -> None:
    counts = ", ".join(f"{sum(each):,} {split}" for split, each in card.counts.items())
    mean, std = (", ".join(f"{part:.4f}" for part in each) for each in (card.mean, card.std))
    found = f"{len(card.classes)} classes, {card.channels} x {card.height} x {card.width} pixels"
    logger.info("%s: %s; %s; mean %s, std %s", title, found, counts, mean, std)
    if card.uneven:
        share = 100 * card.majority_share("test")
        message = "%s: the largest class has %.1f times the images of the smallest; "
        remedy = "always naming the largest class is right on %.1f %% of test"
        logger.warning(message + remedy, title, card.unevenness, share)
