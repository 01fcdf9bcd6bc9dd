"""The description of prepared data, and its three parts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sakd.data.batches.images import Images, content_hash
from sakd.data.sources.classes import check_names
from sakd.foundation.errors import UserError, require, require_positive
from sakd.foundation.options import typed

UNEVEN = 3.0
"""Times as many images of one class as of another: from here on classes count as uneven."""

LATER = frozenset({"asked", "parts"})
"""Entries that cards of earlier versions lack."""

AGAIN = "prepare the data again"
"""What to do about a card that cannot be used."""

_LISTS = ("classes", "mean", "std", "preprocessing", "notes", "skipped")


@dataclass(frozen=True)
class DataCard:
    """A description of prepared data that people and JSON can read.

    Attributes:
        name: The dataset, as in ``DATASETS``.
        classes: Class names; a label is a position in it.
        channels: C of every image; ``height`` and ``width`` in pixels.
        mean: Mean per channel, pixels in [0, 1]; ``std`` is the standard deviation likewise.
        counts: Images per class, for each of train, val and test, and of aside if there are any.
        source: Where the images came from, in words.
        key: Hash of what it was prepared from and how, see ``preparation_key``.
        sha256: Hash of the content of the splits, see ``content_hash``.
        imbalance: Training images of the largest class per one of the smallest.
        duplicates: Images found more than once, see `sakd.data.splits.duplicates`.
        origin: A digest of where the raw data lay, see `Dataset.origin`.
        preprocessing: All that is done to a picture before a network sees it, in order, see
            `sakd.data.pictures.preprocessing`.
        notes: What a reader of the results should know of the images, in words.
        skipped: The images that were left out as they cannot be used, and why.
        asked: Hash of the parameters that it was prepared by, see
            `sakd.data.parameters.DataParameters.asked`.
        parts: Hash of the content of each split, see `Splits.hashes`.
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
    origin: str = ""
    preprocessing: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    asked: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The shape (C, H, W) of every image."""
        return self.channels, self.height, self.width

    @property
    def normalisation(self) -> list[list[float]]:
        """Mean and standard deviation, for keys: to a digit that is the same on every machine."""
        return [[round(part, 6) for part in each] for each in (self.mean, self.std)]

    def majority_share(self, split: str) -> float:
        """Compute the accuracy on ``split`` of always naming its largest class, in [0, 1].

        An accuracy says something only in so far as it is above this one.

        Raises:
            UserError: There is no such split.
        """
        known = ", ".join(self.counts)
        require(split in self.counts, f"no split {split!r} in the data card; allowed: {known}")
        counts = self.counts[split]
        return max(counts) / max(1, sum(counts))

    @property
    def unevenness(self) -> float:
        """Images of the largest class per image of the smallest that has any, in train or test.

        The larger ratio of the two splits.
        """
        each = (list(filter(None, self.counts[split])) for split in ("train", "test"))
        return max(max(counts) / min(counts) for counts in each if counts)

    @property
    def uneven(self) -> bool:
        """Whether accuracies must be read against the share of the largest class."""
        return self.unevenness >= UNEVEN

    def without_images(self, split: str) -> list[str]:
        """List the classes that have no image in ``split``."""
        named = zip(self.classes, self.counts[split], strict=True)
        return [name for name, count in named if not count]

    def to_json(self) -> dict[str, Any]:
        """Convert the card to types that JSON can hold."""
        counts = {split: list(count) for split, count in self.counts.items()}
        lists = {key: list(getattr(self, key)) for key in _LISTS}
        return asdict(self) | lists | {"counts": counts}

    @classmethod
    def from_json(cls, card: Mapping[str, Any]) -> DataCard:
        """Read back the result of `to_json`.

        Raises:
            UserError: An entry is missing or unknown, as another version wrote the card; or it is
                damaged.
        """
        differing = ({entry.name for entry in fields(cls)} ^ set(card)) - LATER
        if differing:
            entries = ", ".join(sorted(differing))
            raise UserError(f"data card with missing or unknown {entries}; {AGAIN}")
        try:
            read = typed(cls, card)
            counts = {split: tuple(count) for split, count in read.counts.items()}
            tuples = {key: tuple(getattr(read, key)) for key in _LISTS}
            found = cls(**{**card, **tuples, "counts": counts})
            found.check()
        except UserError as error:
            raise UserError(f"damaged data card ({error}); {AGAIN}") from error
        return found

    def check(self) -> None:
        """Check that the entries fit each other.

        Raises:
            UserError: They do not.
        """
        shape = dict(zip(("channels", "height", "width"), self.image_shape, strict=True))
        require_positive(**shape)
        require(bool(self.classes), "there are no classes")
        check_names(self.classes, "it")
        for name, numbers in (("mean", self.mean), ("std", self.std)):
            known = len(numbers) == self.channels and all(map(math.isfinite, numbers))
            require(known, f"{name} is not a number for each channel")
        require_positive(std=min(self.std))
        for split in ("train", "val", "test"):
            counts = self.counts.get(split, ())
            fine = len(counts) == len(self.classes) and min(counts) >= 0
            require(fine, f"counts of {split} are not a number of images for each class")
        require(any(self.counts["train"]), "counts of train are all 0")


@dataclass(frozen=True, eq=False)
class Prepared:
    """Prepared images, and the card of the data that they are a part of."""

    images: Images
    card: DataCard


@dataclass(frozen=True, eq=False)
class Splits:
    """The disjoint parts of a dataset.

    Attributes:
        train: Images to learn from.
        val: Images to choose by, carved from the training images.
        test: Images to report on, read once, in evaluation.
        card: Their description.
        aside: Images for what must learn from neither train nor val, if any were set aside.
    """

    train: Images
    val: Images
    test: Images
    card: DataCard
    aside: Images | None = None

    @property
    def parts(self) -> dict[str, Images]:
        """The splits by name, in the order in which they are hashed."""
        parts = {"train": self.train, "val": self.val, "test": self.test}
        return parts if self.aside is None else {**parts, "aside": self.aside}

    def hashes(self) -> dict[str, str]:
        """Hash the content of each split, so that it can be checked without the others."""
        return {name: content_hash([images]) for name, images in self.parts.items()}
