"""What it takes to be a dataset: a cheap look at the door, then raw images."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sakd.data.images import ImageSet
from sakd.errors import UserError


@dataclass(frozen=True, eq=False)
class RawData:
    """A dataset as published, before any split of ours.

    Attributes:
        train: Images for training (and for what is carved from them).
        test: The published test images, or None where there are none.
        classes: Class names; a label is a position in it.
        source: Where the images came from, in words.
        mean: Published mean per channel, pixels in [0, 1], or None to compute it; ``std`` likewise.
    """

    train: ImageSet
    test: ImageSet | None
    classes: tuple[str, ...]
    source: str
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Dataset(ABC):
    """Images to be had from somewhere.

    Attributes:
        path: The folder to read, where the source is one.
        source: One of ``sources``: the form in which the images are stored.
        download: Whether missing data may be fetched from the network.

    Raises:
        UserError: The source is not one of ``sources``, or cannot use ``path`` or ``download``.
    """

    name: ClassVar[str]
    sources: ClassVar[tuple[str, ...]]

    path: Path | None
    source: str
    download: bool = False

    def __post_init__(self) -> None:
        """Refuse options that this dataset could only ignore."""
        if self.source not in self.sources:
            allowed = ", ".join(self.sources)
            raise UserError(f"{self.name} has no source {self.source!r}; allowed: {allowed}")

    @abstractmethod
    def check(self) -> None:
        """See, without reading the images, that ``load`` will find its data.

        Raises:
            UserError: The data is not there; the message says how to get it.
        """

    @abstractmethod
    def files(self) -> Sequence[Path]:
        """The files that ``load`` reads, in an order of their own; none for what is bundled."""

    def fetch(self) -> None:
        """Get what is missing, where the dataset can.

        Raises:
            UserError: The data is not there, and cannot be had.
        """
        self.check()

    def fingerprint(self) -> str:
        """Hash the name, the source and the content of every file to a hexadecimal SHA-256.

        It is the same on every machine, and reading costs far less than decoding.
        """
        digest = hashlib.sha256(f"{self.name}/{self.source}".encode())
        for path in self.files():
            with path.open("rb") as content:
                digest.update(hashlib.file_digest(content, hashlib.sha256).digest())
        return digest.hexdigest()

    @abstractmethod
    def load(self) -> RawData:
        """Read all images.

        Raises:
            UserError: The data is missing or is not what it should be.
        """
