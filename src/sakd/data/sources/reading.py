"""Labelled pictures, decoded: shared by all datasets of pictures."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sakd.data.batches.images import Images, ImageSet
from sakd.data.pictures.decoding import Survey, decode, survey
from sakd.data.pictures.every import Fault
from sakd.data.pictures.form import require_size
from sakd.data.pictures.stored import Pictures
from sakd.data.pictures.tones import Background
from sakd.data.sources.base import Dataset, OnError
from sakd.data.sources.classes import check_counts, lacking
from sakd.data.sources.raw import RawData
from sakd.foundation.errors import require
from sakd.foundation.names import listed

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Labelled:
    """Pictures that are not decoded yet, and their labels, counted from 0."""

    pictures: Pictures
    labels: Sequence[int]


@dataclass(frozen=True)
class PictureSet(Dataset):
    """A dataset of pictures of any size and kind.

    Attributes:
        size: Side of the squares that the images become, in pixels; None for the default rule of
            `sakd.data.pictures.form.common_form`.
        background: Behind transparent parts: white, black or grey; None for the first over which
            the fewest pictures vanish.

    Raises:
        UserError: ``size`` is absurd.
    """

    size: int | None = None
    background: Background | None = None

    def __post_init__(self) -> None:
        """Refuse absurd sizes."""
        super().__post_init__()
        require_size(self.size)

    def survey(self, splits: Mapping[str, Labelled]) -> Survey:
        """Find the form that suits all pictures, see `sakd.data.pictures.decoding.survey`."""
        parts = {split: part.pictures for split, part in splits.items()}
        return survey(parts, self.size, self.background)


def read_raw(
    splits: Mapping[str, Labelled],
    classes: Sequence[str],
    source: str,
    found: Survey,
    on_error: OnError = "refuse",
) -> RawData:
    """Decode all splits into one form.

    Args:
        splits: ``train``, and ``val`` and ``test`` where they exist.
        classes: Class names.
        source: Where the pictures came from, in words.
        found: The form that all pictures are given.
        on_error: Whether pictures that cannot be used are refused or skipped.

    Raises:
        UserError: A label is beyond the classes, or a picture cannot be used.
    """
    _check_labels(splits, len(classes), source)
    if found.form.resized:
        message = "images have sides of %d to %d pixels; resized to %d x %d (data.options.size)"
        logger.info(message, *found.sides, found.form.height, found.form.width)
    read: dict[str, Images] = {}
    faults: dict[str, list[Fault]] = {}
    for split, part in splits.items():
        pixels, faults[split] = decode(part.pictures, found.form, split)
        read[split] = ImageSet(pixels, torch.tensor(part.labels).long())
    read, skipped = sift(read, faults, classes, on_error)
    return assemble(read, classes, source, found, skipped)


def sift(
    read: Mapping[str, Images],
    faults: Mapping[str, Sequence[Fault]],
    classes: Sequence[str],
    on_error: OnError,
) -> tuple[dict[str, Images], tuple[str, ...]]:
    """Leave out the images that cannot be used.

    Returns:
        The others, by split; and which were left out, and why.

    Raises:
        UserError: They are to be refused, or leave too few of a class.
    """
    bad = [str(fault) for each in faults.values() for fault in each]
    if not bad:
        return dict(read), ()
    total = sum(map(len, read.values()))
    found = f"{len(bad):,} of {total:,} images cannot be used"
    remedy = "replace or remove them, or leave them out with data.on_error=skip"
    require(on_error == "skip", f"{found}: {listed(bad, between='; ')}; {remedy}")
    for fault in bad:
        logger.warning("skipped: %s", fault)
    good = {split: images.subset(_others(images, faults[split])) for split, images in read.items()}
    check_counts({split: images.labels.tolist() for split, images in good.items()}, classes)
    return good, tuple(bad)


def _others(images: Images, faults: Sequence[Fault]) -> Tensor:
    usable = torch.ones(len(images), dtype=torch.bool)
    usable[[fault.number for fault in faults]] = False
    return usable.nonzero().squeeze(1)


def assemble(
    read: Mapping[str, Images],
    classes: Sequence[str],
    source: str,
    found: Survey,
    skipped: tuple[str, ...] = (),
) -> RawData:
    """Make a dataset of images by split, with what its readers should know."""
    labels = {split: images.labels.tolist() for split, images in read.items()}
    notes = (*found.notes, *lacking(labels, classes))
    if skipped:
        notes += (f"{len(skipped):,} images that cannot be used were skipped",)
    return RawData(
        train=read["train"],
        test=read.get("test"),
        classes=tuple(classes),
        source=source,
        val=read.get("val"),
        form=found.form,
        notes=notes,
        skipped=skipped,
    )


def _check_labels(splits: Mapping[str, Labelled], classes: int, source: str) -> None:
    for split, part in splits.items():
        low, high = min(part.labels), max(part.labels)
        message = f"{source}: labels {low} to {high} in {split}; allowed: 0 to {classes - 1}"
        require(0 <= low <= high < classes, message)
