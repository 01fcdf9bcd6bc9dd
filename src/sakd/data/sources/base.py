"""The interface of a dataset: a cheap look at the door, then raw images."""

from __future__ import annotations

import hashlib
import logging
import os
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

from sakd.data.sources.raw import RawData
from sakd.foundation.errors import UserError
from sakd.foundation.files import openable, readable
from sakd.foundation.fingerprint import code_of
from sakd.foundation.names import listed

OnError = Literal["refuse", "skip"]
"""Refuse a dataset with images that cannot be used, or skip these."""

ELSEWHERE = ("path", "download", "workers")  # fields of a dataset that do not change its images
PROJECT = __name__.partition(".")[0]
DIGITS = 6  # of `Dataset.origin` that are part of file names
SHOWN = 100  # classes in the log

logger = logging.getLogger(__name__)


class Outline(NamedTuple):
    """The size of a dataset.

    Attributes:
        classes: The number of classes.
        shape: The shape (C, H, W) of every image.
        train: The number of images to train on.
        test: The number of images to test on; None where they are split off those to train on.
    """

    classes: int
    shape: tuple[int, int, int]
    train: int
    test: int | None


@dataclass(frozen=True)
class Dataset(ABC):
    """A source of labelled images.

    Attributes:
        path: The folder to read, where the source is one.
        source: One of ``sources``: the form in which the images are stored.
        download: Whether missing data may be fetched from the network.
        classes: The order of the classes, by name; empty for the dataset's own.
        on_error: Whether images that cannot be used are refused or skipped.

    Raises:
        UserError: The source is not one of ``sources``, or cannot use ``path`` or ``download``.
    """

    name: ClassVar[str]
    sources: ClassVar[tuple[str, ...]]

    path: Path | None
    source: str
    download: bool = False
    classes: tuple[str, ...] = ()
    on_error: OnError = "refuse"

    def __post_init__(self) -> None:
        """Refuse options that this dataset could only ignore."""
        if self.source not in self.sources:
            allowed = ", ".join(self.sources)
            raise UserError(f"{self.name} has no source {self.source!r}; allowed: {allowed}")

    @property
    def slug(self) -> str:
        """The name of the data in ids and file names: letters, digits and underscores.

        It ends in digits of `origin`, so that no two folders share a name.
        """
        return "_".join(filter(None, (self.name, self.origin[:DIGITS])))

    @property
    def origin(self) -> str:
        """A digest of the place of ``path``; empty without a path.

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
        """Check, without reading the images, that ``read`` will find its data.

        Raises:
            UserError: The data is not there; the message says how to get it.
        """

    @abstractmethod
    def files(self) -> Sequence[Path]:
        """The files that ``read`` reads, in an order of their own; empty for bundled images."""

    def has_test(self) -> bool | None:
        """Tell whether test images come with it; None if only reading it would show that."""
        outline = self.outline()
        return None if outline is None else outline.test is not None

    def outline(self) -> Outline | None:
        """Tell the size without reading anything; None where only reading would show it."""
        return None

    def fetch(self) -> None:
        """Get what is missing, where the dataset can.

        Raises:
            UserError: The data is not there, and cannot be had.
        """
        self.check()

    def description(self) -> bytes:
        """Write all that ``load`` depends on but its files.

        That is the name, the options that are not at their defaults (but for ``download`` and
        ``workers``), and the code where it is not the project's own.
        """
        options = {
            field.name: value
            for field in fields(self)
            if field.name not in ELSEWHERE and (value := getattr(self, field.name)) != field.default
        }
        code = {n: d for n, d in code_of(type(self)).items() if not n.startswith(f"{PROJECT}.")}
        return repr((self.name, options, *code.items())).encode()

    def fingerprint(self) -> str:
        """Hash all that ``load`` depends on to a hexadecimal SHA-256.

        That is `description`, and of every file its `mark` and its place in ``path``. It is the
        same on every machine.

        Raises:
            UserError: A file cannot be read.
        """
        digest = hashlib.sha256(self.description())
        for path in self.files():
            place = path.relative_to(self.path) if self.path else path
            digest.update(f"\n{place.as_posix()}\n".encode())
            digest.update(self._mark(path))
        return digest.hexdigest()

    def _mark(self, path: Path) -> bytes:
        try:
            with readable():
                return self.mark(path)
        except UserError:
            if self.on_error == "refuse":
                raise
            return b""

    def mark(self, path: Path) -> bytes:
        """Tell one version of a file from another: by its content, as reading is cheap."""
        with openable(path).open("rb") as content:
            return hashlib.file_digest(content, hashlib.sha256).digest()

    def load(self) -> RawData:
        """Read all images, with the classes in the order asked for, and log what to know of them.

        Raises:
            UserError: The data is missing or is not what it should be, or has other classes.
        """
        raw = self.read().ordered(self.classes)
        here = f"{self.path}/"
        raw = replace(raw, skipped=tuple(each.replace(here, "", 1) for each in raw.skipped))
        logger.info("%s: classes in order: %s", self.slug, listed(raw.classes, most=SHOWN))
        for note in raw.notes:
            logger.warning("%s: %s", self.slug, note)
        return raw

    @abstractmethod
    def read(self) -> RawData:
        """Read all images.

        Raises:
            UserError: The data is missing or is not what it should be.
        """
