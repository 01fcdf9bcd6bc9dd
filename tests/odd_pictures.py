"""Pictures of all kinds, to be read as one kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

ORIENTATION = 0x0112  # the EXIF tag


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def deep(dice: np.random.Generator, *shape: int) -> np.ndarray:
    return dice.integers(0, 2**16, shape, dtype=np.uint16)


def write_odd(place: Path, seed: int) -> None:
    """Write pictures of all kinds that are converted, of many sizes."""
    dice = np.random.default_rng(seed)

    def noise(*shape: int) -> Image.Image:
        return Image.fromarray(dice.integers(0, 256, shape, dtype=np.uint8))

    smooth = noise(6, 9, 3).resize((330, 210), Image.Resampling.BICUBIC)
    smooth.save(place / "large.jpg")
    smooth.save(place / "turned.jpg", exif=turned(6))
    smooth.convert("CMYK").save(place / "ink.jpg")
    noise(14, 20, 3).save(place / "mirrored.tiff", exif=turned(7))
    noise(13, 17, 4).save(place / "clear.png")
    noise(15, 12, 2).save(place / "grey and clear.png")
    noise(16, 16, 3).quantize(20).save(place / "palette.png")
    noise(11, 16, 3).quantize(9).save(place / "palette and clear.png", transparency=3)
    noise(12, 12).convert("1").save(place / "bits.png")
    noise(2, 3, 3).save(place / "small.png")
    noise(90, 9, 3).save(place / "strip.png")
    Image.fromarray(deep(dice, 17, 12)).save(place / "deep.png")
    levels = deep(dice, 10, 12)
    Image.fromarray(levels).save(place / "deep and clear.png", transparency=int(levels[3, 4]))


def write_grey(place: Path, seed: int) -> None:
    """Write grey pictures of 12 and of 8 bits."""
    dice = np.random.default_rng(seed)
    for number in range(6):
        Image.fromarray(deep(dice, 9 + number, 14) >> 4).save(place / f"{number}.png")
        pixels = dice.integers(0, 256, (20, 9 + number), dtype=np.uint8)
        Image.fromarray(pixels).save(place / f"plain {number}.png")


def write_alike(place: Path, seed: int) -> None:
    """Write pictures of one size that is not square."""
    dice = np.random.default_rng(seed)
    for number in range(8):
        pixels = dice.integers(0, 256, (6, 9, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place / f"{number}.png")
