"""What it takes to be a dataset: a cheap look at the door, then raw images."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar

from sakd.data.batches.images import Images
from sakd.foundation.errors import UserError

ELSEWHERE = ("path", "download", "workers")  # fields of a dataset that do not change what it is


@contextmanager
def refusals_told() -> Iterator[None]:
    """Say in one line which file the operating system refuses to read, and why.

    Raises:
        UserError: It refuses.
    """
    try:
        yield
    except OSError as error:
        found = f"{error.filename} cannot be read ({error.strerror})"
        raise UserError(f"{found}; make it readable, or remove it") from error


@dataclass(frozen=True, eq=False)
class RawData:
    """A dataset as it comes, before any split of ours.

    Attributes:
        train: Images for training (and for what is carved from them).
        test: The test images that come with it, or None where there are none.
        classes: Class names; a label is a position in it.
        source: Where the images came from, in words.
        mean: Published mean per channel, pixels in [0, 1], or None to compute it; ``std`` likewise.
        val: The validation images that come with it, or None where there are none.
    """

    train: Images
    test: Images | None
    classes: tuple[str, ...]
    source: str
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    val: Images | None = None


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

    @property
    def slug(self) -> str:
        """What the data is called in ids and file names: letters, digits and underscores."""
        return self.name

    @property
    def origin(self) -> str:
        """A digest of where ``path`` is; empty where there is none.

        What lies below the working directory is found by its place there, so that a project keeps
        its names when it is moved as a whole.
        """
        if self.path is None:
            return ""
        place = self.path.resolve()
        if place.is_relative_to(Path.cwd()):
            place = place.relative_to(Path.cwd())
        text = unicodedata.normalize("NFC", place.as_posix())
        return hashlib.blake2b(os.fsencode(text), digest_size=16).hexdigest()

    @abstractmethod
    def check(self) -> None:
        """See, without reading the images, that ``load`` will find its data.

        Raises:
            UserError: The data is not there; the message says how to get it.
        """

    @abstractmethod
    def files(self) -> Sequence[Path]:
        """The files that ``load`` reads, in an order of their own; none for what is bundled."""

    def has_test(self) -> bool | None:
        """Whether test images come with it; None where that is known only once it is read."""
        return None

    def fetch(self) -> None:
        """Get what is missing, where the dataset can.

        Raises:
            UserError: The data is not there, and cannot be had.
        """
        self.check()

    def fingerprint(self) -> str:
        """Hash all that ``load`` depends on to a hexadecimal SHA-256.

        That is the name, the options but for ``download`` and ``workers``, and of every file its
        `mark` and its place in ``path``. It is the same on every machine.

        Raises:
            UserError: A file cannot be read.
        """
        options = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ELSEWHERE}
        digest = hashlib.sha256(repr((self.name, options)).encode())
        for path in self.files():
            place = path.relative_to(self.path) if self.path else path
            digest.update(f"\n{place.as_posix()}\n".encode())
            with refusals_told():
                digest.update(self.mark(path))
        return digest.hexdigest()

    def mark(self, path: Path) -> bytes:
        """Tell one version of a file from another: by its content, as reading is cheap."""
        with path.open("rb") as content:
            return hashlib.file_digest(content, hashlib.sha256).digest()

    @abstractmethod
    def load(self) -> RawData:
        """Read all images.

        Raises:
            UserError: The data is missing or is not what it should be.
        """
