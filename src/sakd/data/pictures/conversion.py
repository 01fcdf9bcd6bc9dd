"""One picture, of whatever kind, to pixels of one kind: the rules."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median_low
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageOps

from sakd.foundation.errors import require

GREY = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N"})
LONGEST_SIDE, SHORTEST_SIDE = 20_000, 2  # pixels
LARGEST_DEFAULT_SIDE = 64  # pixels: what images of different sizes are made to fit by default
TURNED = frozenset({5, 6, 7, 8})  # EXIF orientations that exchange width and height
DEEP = 2**16  # grey levels of a 16-bit image


class Header(NamedTuple):
    """What a picture is, without its pixels; ``width`` and ``height`` as it is to be seen."""

    grey: bool
    width: int
    height: int


@dataclass(frozen=True)
class Form:
    """The shape (C, H, W) that all images are given.

    Attributes:
        channels: 1 for grey, 3 for red, green and blue.
        height: Pixels; ``width`` likewise.
        resized: Whether pictures may have another size, and are resized; where they may not, one of
            another size is an error.
    """

    channels: int
    height: int
    width: int
    resized: bool = False


def read_header(picture: Image.Image) -> Header:
    """Look at an opened picture, of which as a rule only the header has been read.

    Raises:
        ValueError: Its size is absurd.
    """
    width, height = picture.size
    if not SHORTEST_SIDE <= min(width, height) <= max(width, height) <= LONGEST_SIDE:
        allowed = f"{SHORTEST_SIDE} to {LONGEST_SIDE:,} pixels a side"
        raise ValueError(f"{width} x {height} pixels; allowed: {allowed}")
    turned = width != height and picture.getexif().get(ExifTags.Base.Orientation) in TURNED
    if turned and picture.format != "TIFF":  # of which Pillow turns the size by itself
        width, height = height, width
    return Header(picture.mode in GREY, width, height)


def require_size(size: int | None) -> None:
    """See that images can be made ``size`` pixels wide and high, or are to keep theirs.

    Raises:
        UserError: ``size`` is absurd.
    """
    fine = size is None or SHORTEST_SIDE <= size <= LONGEST_SIDE
    allowed = f"{SHORTEST_SIDE} to {LONGEST_SIDE:,}"
    require(fine, f"data.size {size} pixels; allowed: {allowed}, or null")


def common_form(headers: list[Header], size: int | None) -> Form:
    """Find the form that suits all pictures.

    Grey where all are grey, else colour. Pictures of one size keep it unless ``size`` is given;
    others become squares of ``size``, by default of their median shorter side, 64 pixels at most.
    """
    channels = 1 if all(header.grey for header in headers) else 3
    sizes = {(header.height, header.width) for header in headers}
    if size is None and len(sizes) == 1:
        return Form(channels, *sizes.pop())
    if size is None:
        shorter = (min(header.width, header.height) for header in headers)
        size = min(median_low(shorter), LARGEST_DEFAULT_SIDE)
    return Form(channels, size, size, resized=sizes != {(size, size)})


def convert(picture: Image.Image, form: Form) -> Image.Image:
    """Give ``picture`` the ``form``: see `recolour`, and then its size.

    Where ``form`` is resized, that is the centred square of the shorter side, resampled (bilinear,
    antialiased).

    Raises:
        ValueError: It cannot be converted.
    """
    if form.resized:  # a large JPEG is decoded at a fraction of its size, twice the form's or more
        picture.draft(None, (2 * form.width, 2 * form.height))
    return _resize(recolour(picture, form.channels), form)


def recolour(picture: Image.Image, channels: int) -> Image.Image:
    """Give ``picture`` so many ``channels`` of 8 bits: mode L or RGB.

    In this order: turned as its EXIF orientation says; 16 bits to 8, by the higher byte (65535 to
    255); transparent parts over white; palettes, CMYK and the like to RGB.

    Raises:
        ValueError: It cannot be converted.
    """
    ImageOps.exif_transpose(picture, in_place=True)
    if picture.mode == "F":
        raise ValueError("floating-point pixels have no known range; save it with 8 or 16 bits")
    if picture.mode.startswith("I"):
        picture = _eight_bits(picture)
    if picture.has_transparency_data:
        opaque = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(opaque, picture.convert("RGBA"))
    mode = "L" if channels == 1 else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)


def _eight_bits(picture: Image.Image) -> Image.Image:
    levels = np.asarray(picture).astype(np.int64)
    if levels.min() < 0 or levels.max() >= DEEP:
        raise ValueError("grey levels beyond 16 bits; save it with 8 or 16 bits")
    grey = (levels >> 8).astype(np.uint8)
    clear = picture.info.get("transparency")
    if clear is not None:
        grey[levels == clear] = 255
    return Image.fromarray(grey)


def _resize(picture: Image.Image, form: Form) -> Image.Image:
    if picture.size == (form.width, form.height):
        return picture
    width, height = picture.size
    if not form.resized:
        raise ValueError(f"{width} x {height} pixels; allowed: {form.width} x {form.height}")
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    square = (left, top, left + side, top + side)
    return picture.resize((form.width, form.height), Image.Resampling.BILINEAR, box=square)
