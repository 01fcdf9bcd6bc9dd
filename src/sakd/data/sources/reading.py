"""Labelled pictures, checked and decoded: what every dataset of pictures has in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from sakd.data.batches.images import ImageSet
from sakd.data.pictures.conversion import Form
from sakd.data.pictures.decoding import Pictures, decode, survey
from sakd.data.sources.base import RawData
from sakd.foundation.errors import require

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class Labelled:
    """Pictures that are not decoded yet, and their labels, counted from 0."""

    pictures: Pictures
    labels: Sequence[int]


def check_classes(labels: Mapping[str, Sequence[int]], classes: Sequence[str]) -> None:
    """See that every class can have an image in every split.

    Val and test are carved from train where they do not come with it, so a class needs an image
    for each of them.

    Args:
        labels: Those of ``train``, and of ``val`` and ``test`` where they exist.
        classes: Class names.

    Raises:
        UserError: There is one class only, or a class has too few training images.
    """
    require(len(classes) > 1, f"one class, {', '.join(classes)!r}; at least 2 can be told apart")
    carved = [split for split in SPLITS if split not in labels]
    counts = Counter(labels["train"])
    purpose = f" to split off {' and '.join(carved)}" if carved else ""
    for label, name in enumerate(classes):
        count = counts[label]
        found = f"class {name!r} has {count} image{'' if count == 1 else 's'} for training"
        remedy = f"needed: {1 + len(carved)} or more{purpose}; add images or remove the class"
        require(count > len(carved), f"{found}; {remedy}")


def read_raw(
    splits: Mapping[str, Labelled],
    classes: Sequence[str],
    source: str,
    *,
    size: int | None = None,
    form: Form | None = None,
) -> RawData:
    """Decode all splits into one form.

    Args:
        splits: ``train``, and ``val`` and ``test`` where they exist.
        classes: Class names.
        source: Where the pictures came from, in words.
        size: Side of the squares that the images become, in pixels; None for the default rule of
            `common_form`.
        form: What all pictures must have been already; None to find what suits them.

    Raises:
        UserError: A label is beyond the classes; a picture is unreadable, or has not the form.
    """
    _check_labels(splits, len(classes), source)
    form = form or survey({split: part.pictures for split, part in splits.items()}, size)
    read = {
        split: ImageSet(decode(part.pictures, form, split), torch.tensor(part.labels).long())
        for split, part in splits.items()
    }
    return RawData(read["train"], read.get("test"), tuple(classes), source, val=read.get("val"))


def _check_labels(splits: Mapping[str, Labelled], classes: int, source: str) -> None:
    for split, part in splits.items():
        low, high = min(part.labels), max(part.labels)
        message = f"{source}: labels {low} to {high} in {split}; allowed: 0 to {classes - 1}"
        require(0 <= low <= high < classes, message)
