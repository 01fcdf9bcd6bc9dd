"""How a dataset is split: shares, seeds, and turns."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

from sakd.foundation.errors import UserError, require
from sakd.foundation.keys import added, facts_of

NEARLY = 0.005
"""How far a share may be from 1/k, as 0.33 is from 1/3."""

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
        fold: The number of the split, from 0, where test images are taken in turn: splits 0 to
            k - 1 test every image once, with k = 1 / ``test_fraction``; the next k likewise, dealt
            again. None for test images that are drawn.

    Raises:
        UserError: ``set_aside`` or ``fold`` is out of range, or ``test_fraction`` does not suit it.
    """

    val_fraction: float
    test_fraction: float | None = None
    train_size: int | None = None
    split_seed: int = 0
    duplicates: Literal["drop", "keep"] = "drop"
    set_aside: float = added(0.0)
    fold: int | None = added(None)

    def __post_init__(self) -> None:
        """Check the share that is set aside, and that test images can be taken in turn."""
        fine = 0 <= self.set_aside < 1
        require(fine, f"set_aside must be 0 or more and below 1, got {self.set_aside}")
        if self.fold is not None:
            require(self.fold >= 0, f"fold must be 0 or more, or null, got {self.fold}")
            share = self.test_fraction or 0.0
            fine = 0 < share < 1 < self.folds and abs(share - 1 / self.folds) < NEARLY
            found = f"to test images in turn, got {self.test_fraction}"
            require(fine, f"test_fraction must be 1/2, 1/3, 1/4 and so on {found}")

    @property
    def folds(self) -> int:
        """The number of splits that test every image once between them."""
        return round(1 / share_of("test", self.test_fraction))

    @property
    def drawn_by(self) -> int:
        """The seed of all that is drawn but the test images of a fold, which folds share."""
        return self.split_seed + (self.fold or 0)

    def title(self, name: str) -> str:
        """Name the data in the log, with the number of the split where there are several."""
        return name if self.fold is None else f"{name}, split {self.fold}"

    def check(self, *, has_test: bool | None) -> None:
        """Check that there is a share for test if the dataset has no test images.

        Args:
            has_test: See `Dataset.has_test`.

        Raises:
            UserError: There is neither; or both, and images are to be tested in turn.
        """
        if has_test is False:
            share_of("test", self.test_fraction)
        fine = not has_test or self.fold is None
        found = "the dataset has test images of its own, so none can be tested in turn"
        require(fine, f"{found}: set data.splits to shared and data.fold to null")


def preparation_key(fingerprint: str, splitting: Splitting) -> str:
    """Hash all that determines prepared data: ``Dataset.fingerprint``, splitting, this code."""
    content = {"format": FORMAT, "raw": fingerprint, **facts_of(splitting)}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def share_of(split: str, fraction: float | None) -> float:
    """Check that there is a share for ``split``, and give it.

    Raises:
        UserError: There is none, or it is out of range.
    """
    if fraction is None or not 0 < fraction < 1:
        found = f"there are no {split} images, so data.{split}_fraction"
        raise UserError(f"{found} must be above 0 and below 1, got {fraction}")
    return fraction
