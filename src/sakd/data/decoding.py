"""From encoded bytes (PNG, WebP, JPEG ...) to one tensor of pixels."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sakd.errors import UserError

CHUNK = 256  # images a thread takes at a time


def decode_images(encoded: Sequence[bytes | None], *, side: int, origin: str) -> Tensor:
    """Decode square RGB images, in threads: the decoders let go of Python's lock.

    Args:
        encoded: The bytes of N image files; None where they are missing.
        side: Height and width that every image must have, in pixels.
        origin: Where they come from, for the messages.

    Returns:
        (N, 3, side, side) uint8.

    Raises:
        UserError: An image is missing, unreadable or of another size; says which.
    """
    pixels = np.empty((len(encoded), side, side, 3), dtype=np.uint8)

    def fill(start: int) -> None:
        for row in range(start, min(start + CHUNK, len(encoded))):
            pixels[row] = np.asarray(_decode(encoded[row], side, f"image {row} of {origin}"))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(fill, range(0, len(encoded), CHUNK)):
            pass
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()


def _decode(content: bytes | None, side: int, which: str) -> Image.Image:
    if content is None:
        raise UserError(f"{which} has no bytes; get the file again, with the images embedded")
    try:
        image = Image.open(io.BytesIO(content))
        size = image.size  # known from the header: an absurd size is refused before it costs memory
        rgb = image.convert("RGB") if size == (side, side) else None
    except Exception as error:  # broken bytes fail in as many ways as there are decoders
        reason = str(error).partition(" <")[0]  # without Pillow's "<_io.BytesIO object at 0x...>"
        raise UserError(f"{which} is unreadable ({reason}); get the file again") from error
    if rgb is None:
        raise UserError(f"{which} is {size[0]} x {size[1]} pixels; allowed: {side} x {side}")
    return rgb
