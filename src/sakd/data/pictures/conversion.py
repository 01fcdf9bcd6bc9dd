"""From a picture of any kind to pixels of one kind: the rules."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from sakd.data.pictures.form import DEEPEST, USUAL, Form, Tones


def convert(picture: Image.Image, form: Form) -> Image.Image:
    """Give ``picture`` the ``form``: first by `recolour`, then by size.

    Its centre, see `Form.box`, is resampled (bilinear, antialiased), unless it has the size.

    Raises:
        ValueError: It cannot be converted.
    """
    if form.resized:  # a large JPEG is decoded at a fraction of its size, twice the form's or more
        picture.draft(None, (2 * form.width, 2 * form.height))
    return _resize(recolour(picture, form.channels, form.tones), form)


def recolour(picture: Image.Image, channels: int, tones: Tones = USUAL) -> Image.Image:
    """Give ``picture`` 8 bits and that many ``channels``: mode L or RGB.

    In this order: turned as its EXIF orientation says; levels of 16 bits, ``tones.low`` to
    ``tones.high``, to 0 to 255 in equal steps; transparent parts over ``tones.background``;
    palettes, CMYK and the like to RGB.

    Raises:
        ValueError: It cannot be converted.
    """
    ImageOps.exif_transpose(picture, in_place=True)
    if picture.mode == "F":
        raise ValueError("floating-point pixels have no known range; save it with 8 or 16 bits")
    if picture.mode.startswith("I"):
        picture = _eight_bits(picture, tones)
    if picture.has_transparency_data:
        opaque = Image.new("RGBA", picture.size, (tones.background,) * 3)
        picture = Image.alpha_composite(opaque, picture.convert("RGBA"))
    mode = "L" if channels == 1 else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)


def as_tensor(picture: Image.Image) -> Tensor:
    """Copy the pixels of a picture in mode L or RGB: (C, H, W) uint8."""
    pixels = torch.from_numpy(np.array(picture))
    return pixels.view(*pixels.shape[:2], -1).permute(2, 0, 1)


def deep_levels(picture: Image.Image) -> np.ndarray:
    """The grey levels (H, W) int64 of a 16-bit picture.

    Raises:
        ValueError: They are beyond 16 bits.
    """
    levels = np.asarray(picture).astype(np.int64)
    if levels.min() < 0 or levels.max() > DEEPEST:
        raise ValueError("grey levels beyond 16 bits; save it with 8 or 16 bits")
    return levels


def _eight_bits(picture: Image.Image, tones: Tones) -> Image.Image:
    levels = deep_levels(picture)
    within = levels.clip(tones.low, tones.high) - tones.low
    grey = (within * 256 // (tones.high - tones.low + 1)).astype(np.uint8)
    clear = picture.info.get("transparency")
    if clear is not None:
        grey[levels == clear] = tones.background
    return Image.fromarray(grey)


def _resize(picture: Image.Image, form: Form) -> Image.Image:
    width, height = picture.size
    if not form.resized and picture.size != (form.width, form.height):
        raise ValueError(f"{width} x {height} pixels; allowed: {form.width} x {form.height}")
    box = form.box(width, height)
    return picture.resize((form.width, form.height), Image.Resampling.BILINEAR, box=box)
