"""Contact sheets: rows of small pictures, each with a name."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

TILE = 40
"""The side in pixels to which smaller images are enlarged, by a whole factor, and larger shrunk."""

GAP, NAMES, COLOURS = 4, 110, 128
"""Pixels between images, pixels for the names of rows, and colours of a sheet."""


def sheet(rows: Mapping[str, Tensor]) -> bytes:
    """Draw a contact sheet as PNG.

    Args:
        rows: By its name, the images of each row, (n, C, H, W) uint8.
    """
    tiles = {name: [_tile(image) for image in images] for name, images in rows.items()}
    widest = max(len(row) for row in tiles.values())
    width, height = (max(side) for side in zip(*_sizes(tiles), strict=True))
    size = NAMES + widest * (width + GAP) + GAP, len(rows) * (height + GAP) + GAP
    canvas = Image.new("RGB", size, "white")
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default()
    for line, (name, row) in enumerate(tiles.items()):
        top = GAP + line * (height + GAP)
        pen.text((GAP, top + height // 2), name, fill="black", font=font, anchor="lm")
        for column, tile in enumerate(row):
            canvas.paste(tile, (NAMES + column * (width + GAP), top))
    file = io.BytesIO()
    canvas.quantize(COLOURS).save(file, "PNG", optimize=True)
    return file.getvalue()


def _tile(image: Tensor) -> Image.Image:
    """Bring an image (C, H, W) uint8 to the size of a tile."""
    pixels = image.permute(1, 2, 0).numpy()
    picture = Image.fromarray(np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels)
    longest = max(picture.size)
    if longest > TILE:
        picture.thumbnail((TILE, TILE))
        return picture
    factor = TILE // longest
    width, height = picture.size
    return picture.resize((factor * width, factor * height), Image.Resampling.NEAREST)


def _sizes(tiles: Mapping[str, list[Image.Image]]) -> list[tuple[int, int]]:
    return [tile.size for row in tiles.values() for tile in row]
