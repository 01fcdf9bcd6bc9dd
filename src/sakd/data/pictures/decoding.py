"""All pictures of a set: surveyed, then decoded to one tensor or to a digest each."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sakd.data.pictures.conversion import convert, recolour
from sakd.data.pictures.every import Fault, look_at_every
from sakd.data.pictures.form import Form, Header, Tones, common_form, read_header
from sakd.data.pictures.stored import Pictures
from sakd.data.pictures.tones import Background, Seen, common_tones, look_at_tones, matters
from sakd.foundation.errors import UserError, require

DIGEST = 16  # bytes


class Survey(NamedTuple):
    """The form that suits all pictures of a set.

    Attributes:
        form: The form.
        notes: Words on what is done with their levels and transparent parts.
        sides: The shortest and the longest side, in pixels.
    """

    form: Form
    notes: tuple[str, ...] = ()
    sides: tuple[int, int] = (0, 0)


def survey(
    parts: Mapping[str, Pictures], size: int | None, background: Background | None = None
) -> Survey:
    """Find the form that suits all pictures; those that cannot be used are passed over.

    Args:
        parts: The pictures of each split.
        size: See `common_form`.
        background: See `common_tones`.

    Raises:
        UserError: No picture can be used, or few bits of their colours are.
    """
    headers: list[Header] = []
    seen: list[Seen] = []
    faults: list[Fault] = []
    for split, pictures in parts.items():
        title = f"looking at {len(pictures):,} images, {split}"
        found, failed = look_at_every(pictures, _header, title)
        headers += [header for _, header in found]
        faults += failed
        if numbers := [number for number, header in found if matters(header)]:
            title = f"finding the tones of {len(numbers):,} images, {split}"
            seen += look_at_every(pictures, look_at_tones, title, numbers)[0]
    require(bool(headers), f"no image can be used: {faults[0]}; replace it" if faults else "")
    tones, notes = common_tones(seen, background)
    sides = [side for header in headers for side in (header.width, header.height)]
    return Survey(common_form(headers, size, tones), notes, (min(sides), max(sides)))


def decode(pictures: Pictures, form: Form, split: str) -> tuple[Tensor, list[Fault]]:
    """Decode and convert pictures, in threads.

    Args:
        pictures: N of them.
        form: The form that all are given, see `convert`.
        split: Which split they are, for the progress.

    Returns:
        (N, C, H, W) uint8, and the pictures that cannot be used, whose pixels are 0.

    Raises:
        UserError: They would fill the memory.
    """
    shape = (len(pictures), form.height, form.width, form.channels)
    _check_memory(shape)
    pixels = np.zeros(shape, dtype=np.uint8)

    def fill(picture: Image.Image, number: int) -> None:
        read_header(picture)
        pixels[number] = np.asarray(convert(picture, form)).reshape(shape[1:])

    _, faults = look_at_every(pictures, fill, f"decoding {len(pictures):,} images, {split}")
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(), faults


def digest_pixels(
    pictures: Pictures, channels: int, tones: Tones, split: str
) -> tuple[Tensor, list[Fault]]:
    """Decode pictures, in threads, and keep a digest of each: equal ones have equal pixels.

    Args:
        pictures: N of them, of any sizes.
        channels: The channels that all are given, see `recolour`.
        tones: How 16-bit levels and transparent parts are shown.
        split: Which split they are, for the progress.

    Returns:
        (N, 16) uint8, and the pictures that cannot be used, whose digests are 0.
    """
    digests = torch.zeros(len(pictures), DIGEST, dtype=torch.uint8)

    def fill(picture: Image.Image, number: int) -> None:
        read_header(picture)
        seen = recolour(picture, channels, tones)
        content = hashlib.blake2b(repr(seen.size).encode(), digest_size=DIGEST)
        content.update(np.asarray(seen).tobytes())
        digests[number] = torch.frombuffer(bytearray(content.digest()), dtype=torch.uint8)

    _, faults = look_at_every(pictures, fill, f"reading {len(pictures):,} images, {split}")
    return digests, faults


def _header(picture: Image.Image, number: int) -> tuple[int, Header]:
    return number, read_header(picture)


def _check_memory(shape: tuple[int, ...]) -> None:
    needed = int(np.prod(shape, dtype=np.int64))
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > there // 2:
        count, height, width, channels = shape
        raise UserError(
            f"{count:,} images of {channels} x {height} x {width} take {needed / 2**30:.1f} GiB, "
            f"more than half of this machine's memory; set data.options.size to fewer pixels"
        )
