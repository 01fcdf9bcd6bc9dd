"""Duplicates of images: found by their pixels, counted, and left out by default."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import torch

from sakd.data.batches.images import Images

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Hashed:
    """Images with a digest of each."""

    images: Images
    digests: Sequence[bytes]

    @classmethod
    def of(cls, images: Images) -> Hashed:
        """Hash the images."""
        return cls(images, images.digests())

    def subset(self, rows: Sequence[int]) -> Hashed:
        """Take the images at ``rows``, in that order."""
        index = torch.tensor(rows, dtype=torch.int64)
        return Hashed(self.images.subset(index), [self.digests[row] for row in rows])

    def canonical(self) -> Images:
        """The images in the order of their content, whatever order they came in."""
        labels = self.images.labels.tolist()
        order = sorted(range(len(labels)), key=lambda row: (self.digests[row], labels[row]))
        return self.images.subset(torch.tensor(order, dtype=torch.int64))


@dataclass(frozen=True)
class Duplicates:
    """How many images of train and val have duplicates; each is counted once.

    Attributes:
        in_test: Images that are in test as well.
        contradicting: Other images that occur with different labels, all copies: label noise.
        repeated: Copies, beyond the first, of other images that occur with one label.
        left_out: How many of these were left out: all, or 0.
    """

    in_test: int = 0
    contradicting: int = 0
    repeated: int = 0
    left_out: int = 0


def find_duplicates(
    development: Sequence[Hashed], test: Hashed | None
) -> tuple[Duplicates, list[list[int]]]:
    """Look for images that occur more than once.

    Args:
        development: Val, if it comes with the dataset, and train. If an image is in both, the copy
            in the former counts as the first.
        test: The test images, if they come with the dataset.

    Returns:
        The counts, with ``left_out`` 0, and for each of ``development`` the rows to keep.
    """
    tested = frozenset(test.digests if test else ())
    contradicting = _contradicting(development)
    seen: set[bytes] = set()
    counts = {"in_test": 0, "contradicting": 0, "repeated": 0}
    fine: list[list[int]] = []
    for part in development:
        rows = []
        for row, digest in enumerate(part.digests):
            if digest in tested:
                counts["in_test"] += 1
            elif digest in contradicting:
                counts["contradicting"] += 1
            elif digest in seen:
                counts["repeated"] += 1
            else:
                rows.append(row)
            seen.add(digest)
        fine.append(rows)
    return Duplicates(**counts), fine


def _contradicting(parts: Sequence[Hashed]) -> set[bytes]:
    labels: dict[bytes, set[int]] = defaultdict(set)
    for part in parts:
        for digest, label in zip(part.digests, part.images.labels.tolist(), strict=True):
            labels[digest].add(label)
    return {digest for digest, different in labels.items() if len(different) > 1}


def without_duplicates(
    development: Sequence[Hashed], test: Hashed | None, *, keep: bool
) -> tuple[list[Hashed], Duplicates]:
    """Leave the duplicates out of ``development``, or ``keep`` them, and count them."""
    found, fine = find_duplicates(development, test)
    number = sum(asdict(found).values())
    if number:
        done = "kept" if keep else "left out"
        message = (
            "%d images of train and val %s: %d are also in test, %d have contradicting labels, "
        )
        counts = (number, done, found.in_test, found.contradicting, found.repeated)
        logger.info(message + "%d repeat others", *counts)
    if keep:
        return list(development), found
    parts = [part.subset(rows) for part, rows in zip(development, fine, strict=True)]
    return parts, replace(found, left_out=number)
