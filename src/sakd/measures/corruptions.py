"""A fixed set of corruptions that images suffer at test time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from types import ModuleType

import torch
from PIL.Image import Resampling
from torch import Tensor

from sakd.foundation.randomness import generator

Change = Callable[[Tensor], Tensor]
"""From pixels (B, C, H, W) in [0, 1] to changed ones, which may leave that range."""


def noise(pixels: Tensor) -> Tensor:
    """Add normal noise with a deviation of 0.1, the same for every network."""
    source = generator(0, "corruption")
    return pixels + 0.1 * torch.randn(pixels.shape, generator=source).to(pixels)


def blur(pixels: Tensor) -> Tensor:
    """Blur by a Gaussian whose deviation is half a pixel and a 64th of the shorter side."""
    side = min(pixels.shape[-2:])
    sigma = 0.5 + side / 64
    reach = min(math.ceil(2 * sigma), side - 1)
    blurred: Tensor = _torchvision().gaussian_blur(pixels, [2 * reach + 1] * 2, [sigma] * 2)
    return blurred


def contrast(pixels: Tensor) -> Tensor:
    """Bring all pixels of an image to 0.4 of their distance from its mean."""
    mean = pixels.mean(dim=(1, 2, 3), keepdim=True)
    return mean + 0.4 * (pixels - mean)


def brightness(pixels: Tensor) -> Tensor:
    """Add a fifth of white."""
    return pixels + 0.2


def pixelation(pixels: Tensor) -> Tensor:
    """Shrink images to half their side, and repeat each pixel."""
    height, width = pixels.shape[-2:]
    half = [max(1, height // 2), max(1, width // 2)]
    small = _torchvision().resize(pixels, half, Resampling.BILINEAR, antialias=True)
    large: Tensor = _torchvision().resize(small, [height, width], Resampling.NEAREST)
    return large


def rotation(pixels: Tensor) -> Tensor:
    """Turn images by 15 degrees; the corners become black."""
    turned: Tensor = _torchvision().rotate(pixels, 15.0, Resampling.BILINEAR)
    return turned


def _torchvision() -> ModuleType:
    # Imported when it is used: it takes seconds.
    return import_module("torchvision.transforms.v2.functional")


CORRUPTIONS: Mapping[str, Change] = {
    "noise": noise,
    "blur": blur,
    "contrast": contrast,
    "brightness": brightness,
    "pixelation": pixelation,
    "rotation": rotation,
}
"""Each corruption by its name."""


def corrupted(
    images: Tensor, mean: Sequence[float], std: Sequence[float]
) -> Iterator[tuple[str, Tensor]]:
    """Yield normalised ``images`` (B, C, H, W) under each of `CORRUPTIONS`, with its name.

    Args:
        images: Normalised by ``mean`` and ``std``.
        mean: Of each channel, of pixels in [0, 1].
        std: Likewise.
    """
    shift, scale = (images.new_tensor(each).view(-1, 1, 1) for each in (mean, std))
    pixels = images * scale + shift
    for name, change in CORRUPTIONS.items():
        yield name, (change(pixels).clamp(0, 1) - shift) / scale
