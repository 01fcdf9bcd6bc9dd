"""The form that all pictures of a set are given: size, channels, and what stands for white."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Final, NamedTuple

from PIL import ExifTags, Image

from sakd.foundation.errors import require

GREY = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N"})
LONGEST_SIDE, SHORTEST_SIDE = 20_000, 2  # pixels
LARGEST_DEFAULT_SIDE = 64  # pixels: the default where the sizes of images differ
TURNED = frozenset({5, 6, 7, 8})  # EXIF orientations that exchange width and height
BLACK, WHITE = 0, 255
DEEPEST: Final = 2**16 - 1  # the highest level of a 16-bit picture


class Header(NamedTuple):
    """All that is known of a picture before its pixels are decoded.

    Attributes:
        grey: Whether it is stored as grey.
        width: Pixels of the upright picture; ``height`` likewise.
        deep: Whether it has grey levels of more than 8 bits.
        halved: Whether it has colour of 16 bits, of which Pillow reads the higher byte alone.
        clear: Whether parts of it may be transparent.
    """

    grey: bool
    width: int
    height: int
    deep: bool = False
    halved: bool = False
    clear: bool = False


class Tones(NamedTuple):
    """How grey levels and transparent parts are shown, the same for all pictures of a set.

    Attributes:
        low: The 16-bit level that becomes 0.
        high: The 16-bit level that becomes 255.
        background: The grey level, 0 to 255, behind transparent parts.
    """

    low: int = 0
    high: int = DEEPEST
    background: int = WHITE


USUAL = Tones()


@dataclass(frozen=True)
class Form:
    """The shape (C, H, W) and the tones that all images are given.

    Attributes:
        channels: 1 for grey, 3 for red, green and blue.
        height: Pixels; ``width`` likewise.
        resized: Whether pictures of another size are resized; if not, they are an error.
        tones: How 16-bit levels and transparent parts are shown.
        share: The part of a picture's shorter side that is kept, around the centre.
    """

    channels: int
    height: int
    width: int
    resized: bool = False
    tones: Tones = USUAL
    share: float = 1.0

    def box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Find what is kept of a picture of ``width`` x ``height`` pixels before it is resized.

        That is the largest centred box with the form's aspect, times ``share``.

        Returns:
            Left, top, right and bottom, in pixels; they may be fractions.
        """
        kept = self.share * min(width * self.height, height * self.width)
        across, down = kept / self.height, kept / self.width
        left, top = (width - across) / 2, (height - down) / 2
        return left, top, left + across, top + down


def streamed_form(side: int, tones: Tones = USUAL) -> Form:
    """Give the form of images that stay in their files: 7/8 of the shorter side, as in 224 of 256.

    Args:
        side: Side of the squares that networks see, in pixels.
        tones: How 16-bit levels and transparent parts are shown.
    """
    return Form(3, side, side, resized=True, tones=tones, share=7 / 8)


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
    deep = picture.mode.startswith("I")
    return Header(
        grey=picture.mode in GREY,
        width=width,
        height=height,
        deep=deep,
        halved=not deep and ";16" in _stored_mode(picture),
        clear=picture.has_transparency_data,
    )


def _stored_mode(picture: Image.Image) -> str:
    """The mode of the pixels in the file, such as ``RGB;16B``; empty where Pillow has none."""
    tiles = getattr(picture, "tile", None)
    arguments = tiles[0].args if tiles else ""
    return str(arguments if isinstance(arguments, str) else next(iter(arguments or ()), ""))


def require_size(size: int | None) -> None:
    """Check that images can be made ``size`` pixels wide and high; None keeps theirs.

    Raises:
        UserError: ``size`` is absurd.
    """
    fine = size is None or SHORTEST_SIDE <= size <= LONGEST_SIDE
    allowed = f"{SHORTEST_SIDE} to {LONGEST_SIDE:,}"
    require(fine, f"data.options.size {size} pixels; allowed: {allowed}, or null")


def common_form(headers: Sequence[Header], size: int | None, tones: Tones = USUAL) -> Form:
    """Find the form that suits all pictures.

    Grey where all are grey, else colour. Pictures of one size keep it unless ``size`` is given;
    others become squares of ``size``, by default of their median shorter side, 64 pixels at most.
    """
    channels = 1 if all(header.grey for header in headers) else 3
    sizes = {(header.height, header.width) for header in headers}
    if size is None and len(sizes) == 1:
        return Form(channels, *sizes.pop(), tones=tones)
    if size is None:
        shorter = (min(header.width, header.height) for header in headers)
        size = min(median_low(shorter), LARGEST_DEFAULT_SIDE)
    return Form(channels, size, size, resized=sizes != {(size, size)}, tones=tones)
