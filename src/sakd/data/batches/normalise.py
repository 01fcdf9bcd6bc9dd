"""Mean and standard deviation per channel, and normalising by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from sakd.foundation.errors import UserError

WHITE = 255


class ChannelStatistics(NamedTuple):
    """Mean and population standard deviation per channel, of pixels in [0, 1]; C numbers each."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


def channel_statistics(images: Tensor) -> ChannelStatistics:
    """Compute mean and standard deviation of each channel, of pixels scaled to [0, 1].

    The result does not depend on the order of the images: pixels are counted by value.

    Args:
        images: (N, C, H, W) uint8.

    Raises:
        UserError: A channel is constant, so it cannot be normalised.
    """
    values = torch.arange(WHITE + 1, dtype=torch.float64) / WHITE
    mean, std = [], []
    for channel, pixels in enumerate(images.transpose(0, 1)):
        share = pixels.reshape(-1).bincount(minlength=WHITE + 1).double() / pixels.numel()
        mean.append(float(share @ values))
        std.append(float(share @ (values - mean[-1]).square()) ** 0.5)
        if std[-1] == 0:
            found = (
                f"channel {channel} of the training images is {round(WHITE * mean[-1])} everywhere"
            )
            remedy = "put another channel in its place, or save the images as grey"
            raise UserError(f"{found} and cannot be normalised; {remedy}")
    return ChannelStatistics(tuple(mean), tuple(std))


class Normalise:
    """Pixels to floats of mean 0 and standard deviation 1: (x / 255 - mean) / std.

    One product and one sum, by scale 1 / (255 std) and bias -mean / std.
    """

    def __init__(
        self, mean: Sequence[float], std: Sequence[float], device: torch.device | str
    ) -> None:
        """Use the C means and standard deviations of pixels in [0, 1]."""
        centre, spread = (torch.tensor(list(s), dtype=torch.float64) for s in (mean, std))
        self._scale = (1 / (WHITE * spread)).float().view(-1, 1, 1).to(device)
        self._bias = (-centre / spread).float().view(-1, 1, 1).to(device)

    def __call__(self, images: Tensor) -> Tensor:
        """Normalise ``images`` (B, C, H, W) uint8 to float32."""
        return images.float().mul_(self._scale).add_(self._bias)
