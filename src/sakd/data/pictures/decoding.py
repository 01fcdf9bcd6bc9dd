"""Pictures as they are stored, each opened when asked for, and all of them to one tensor."""

from __future__ import annotations

import hashlib
import io
import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sakd.data.pictures.conversion import Form, Header, common_form, convert, read_header, recolour
from sakd.foundation.console import counting
from sakd.foundation.errors import UserError, require

CHUNK = 64  # pictures a thread takes at a time
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")  # by their content, not their names
DIGEST = 16  # bytes
NAMED = 3  # unreadable pictures that are named; the rest are counted

T = TypeVar("T")
Failure = tuple[int, str]
"""The number of a picture, and what is wrong with it."""

logger = logging.getLogger(__name__)


class Pictures(ABC):
    """N pictures, encoded or not."""

    @abstractmethod
    def __len__(self) -> int:
        """Count them."""

    @abstractmethod
    def open(self, number: int) -> Image.Image:
        """Open picture ``number``; the pixels are decoded when they are used."""

    @abstractmethod
    def where(self, number: int) -> str:
        """Say which picture this is, for messages."""


@dataclass(frozen=True)
class Files(Pictures):
    """A picture per file."""

    paths: Sequence[Path]

    def __len__(self) -> int:
        """Count the files."""
        return len(self.paths)

    def open(self, number: int) -> Image.Image:
        """Open the file."""
        return Image.open(self.paths[number], formats=FORMATS)

    def where(self, number: int) -> str:
        """Give the path."""
        return str(self.paths[number])


@dataclass(frozen=True)
class Encoded(Pictures):
    """The content of picture files, None where it is missing.

    Attributes:
        contents: The bytes.
        places: For each of them the file that holds it and its row there.
    """

    contents: Sequence[bytes | None]
    places: Sequence[tuple[Path, int]]

    def __len__(self) -> int:
        """Count the contents."""
        return len(self.contents)

    def open(self, number: int) -> Image.Image:
        """Read the bytes."""
        content = self.contents[number]
        if not content:
            raise ValueError("no bytes")
        return Image.open(io.BytesIO(content), formats=FORMATS)

    def where(self, number: int) -> str:
        """Name row and file."""
        file, row = self.places[number]
        return f"image {row} of {file}"


def survey(parts: Mapping[str, Pictures], size: int | None) -> Form:
    """Find the form that suits all pictures from their headers; see `common_form`.

    Raises:
        UserError: A picture is unreadable or of an absurd size; says which and how many.
    """
    headers: list[Header] = []
    for split, pictures in parts.items():
        found, failed = _each(pictures, _header, f"looking at {len(pictures):,} images, {split}")
        if failed:  # then see which others are unreadable beyond their headers
            _, failed = _each(pictures, _load, f"checking {len(pictures):,} images, {split}")
        _refuse(pictures, failed)
        headers += found
    form = common_form(headers, size)
    if form.resized:
        _tell_sizes(headers, form)
    return form


def decode(pictures: Pictures, form: Form, split: str) -> Tensor:
    """Decode and convert pictures, in threads: the decoders let go of Python's lock.

    Args:
        pictures: N of them.
        form: What all are given, see `convert`.
        split: What they are, for the progress.

    Returns:
        (N, C, H, W) uint8.

    Raises:
        UserError: A picture is unreadable, or does not have the size; says which and how many.
    """
    shape = (len(pictures), form.height, form.width, form.channels)
    _check_memory(shape)
    pixels = np.empty(shape, dtype=np.uint8)

    def fill(pictures: Pictures, number: int) -> None:
        with pictures.open(number) as picture:
            read_header(picture)
            converted = np.asarray(convert(picture, form))
            pixels[number] = converted.reshape(shape[1:])

    _, failed = _each(pictures, fill, f"decoding {len(pictures):,} images, {split}")
    _refuse(pictures, failed)
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()


def digest_pixels(pictures: Pictures, channels: int, split: str) -> Tensor:
    """Decode pictures, in threads, and keep a digest of each: equal ones have equal pixels.

    Args:
        pictures: N of them, of whatever sizes.
        channels: What all are given, see `recolour`.
        split: What they are, for the progress.

    Returns:
        (N, 16) uint8.

    Raises:
        UserError: A picture is unreadable or of an absurd size; says which and how many.
    """

    def digest(pictures: Pictures, number: int) -> bytes:
        with pictures.open(number) as picture:
            read_header(picture)
            seen = recolour(picture, channels)
            content = hashlib.blake2b(repr(seen.size).encode(), digest_size=DIGEST)
            content.update(np.asarray(seen).tobytes())
        return content.digest()

    digests, failed = _each(pictures, digest, f"reading {len(pictures):,} images, {split}")
    _refuse(pictures, failed)
    return torch.frombuffer(bytearray(b"".join(digests)), dtype=torch.uint8).view(-1, DIGEST)


def _header(pictures: Pictures, number: int) -> Header:
    with pictures.open(number) as picture:
        return read_header(picture)


def _load(pictures: Pictures, number: int) -> None:
    with pictures.open(number) as picture:
        read_header(picture)
        picture.load()


def _each(
    pictures: Pictures, job: Callable[[Pictures, int], T], title: str
) -> tuple[list[T], list[Failure]]:
    """``job`` of every picture, in order, and those of which it failed."""
    done: list[T] = []
    failed: list[Failure] = []

    def chunk(start: int) -> tuple[list[T], list[Failure]]:
        results, failures = [], []
        for number in range(start, min(start + CHUNK, len(pictures))):
            try:
                results.append(job(pictures, number))
            except Exception as error:  # broken bytes fail in as many ways as there are decoders
                failures.append((number, reason(error)))
        return results, failures

    logger.info("%s", title)
    with counting(title, len(pictures)) as advance, ThreadPoolExecutor(os.cpu_count()) as pool:
        for results, failures in pool.map(chunk, range(0, len(pictures), CHUNK)):
            done += results
            failed += failures
            advance(len(results) + len(failures))
    return done, failed


def reason(error: Exception) -> str:
    """Say what is wrong with a picture, without Pillow's ``<_io.BytesIO ...>`` or a path."""
    said = getattr(error, "strerror", None) or str(error)
    told = said.partition(" <")[0].partition(" '/")[0].partition("\n")[0]
    return told or type(error).__name__


def _refuse(pictures: Pictures, failed: Sequence[Failure]) -> None:
    named = "; ".join(f"{pictures.where(n)} ({reason})" for n, reason in failed[:NAMED])
    more = f" and {len(failed) - NAMED:,} more" if len(failed) > NAMED else ""
    found = f"{len(failed):,} of {len(pictures):,} images cannot be used"
    require(not failed, f"{found}: {named}{more}; replace or remove them")


def _tell_sizes(headers: Sequence[Header], form: Form) -> None:
    sides = [side for header in headers for side in (header.width, header.height)]
    message = "images have sides of %d to %d pixels; resized to %d x %d (parameter data.size)"
    logger.info(message, min(sides), max(sides), form.height, form.width)


def _check_memory(shape: tuple[int, ...]) -> None:
    needed = int(np.prod(shape, dtype=np.int64))
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > there // 2:
        count, height, width, channels = shape
        raise UserError(
            f"{count:,} images of {channels} x {height} x {width} take {needed / 2**30:.1f} GiB, "
            f"more than half of this machine's memory; set data.size to fewer pixels"
        )
