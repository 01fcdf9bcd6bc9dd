"""Contact sheets hold the images that they were given, in their order."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image

from sakd.reporting.figures.sheets import GAP, NAMES, TILE, sheet


def tiles(png: bytes, rows: int, columns: int, side: int) -> list[list[np.ndarray]]:
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    step = side + GAP
    return [
        [
            pixels[GAP + r * step : GAP + r * step + side, x : x + side]
            for x in (NAMES + c * step for c in range(columns))
        ]
        for r in range(rows)
    ]


def test_small_grey_images_are_enlarged_without_blur() -> None:
    images = torch.arange(6 * 16, dtype=torch.uint8).mul(2).view(6, 1, 4, 4)
    found = tiles(sheet({"first": images[:3], "second": images[3:]}), 2, 3, TILE)
    factor = TILE // 4
    for tile, image in zip([t for row in found for t in row], images, strict=True):
        for channel in range(3):
            shown = tile[::factor, ::factor, channel]
            assert np.abs(shown - image[0].numpy().astype(int)).max() <= 2


def test_large_images_are_shrunk_and_keep_their_colours() -> None:
    colours = torch.tensor([[200, 30, 40], [10, 180, 90]], dtype=torch.uint8)
    images = colours[:, :, None, None].expand(2, 3, 224, 224)
    png = sheet({"a": images, "b": images[:1]})
    ((first, second), _) = tiles(png, 2, 2, TILE)
    for tile, colour in zip((first, second), colours, strict=True):
        assert np.abs(tile - colour.numpy().astype(int)).max() <= 4
    assert len(png) < 3000


def test_the_same_images_give_the_same_bytes() -> None:
    images = torch.randint(256, (4, 3, 32, 32), dtype=torch.uint8)
    assert sheet({"a": images}) == sheet({"a": images})
