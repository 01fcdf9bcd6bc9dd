"""The convolutions of factor transfer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from sakd.networks.adapters import Adapter


class Paraphraser(nn.Module):
    """An autoencoder of maps (B, C, H, W)."""

    def __init__(self, channels: int, factors: int) -> None:
        """Make encoder and decoder.

        Args:
            channels: C.
            factors: Channels of the code, which is as high and wide as the maps.
        """
        super().__init__()
        self.encoder = layers(nn.Conv2d, (channels, channels, factors, factors))
        self.decoder = layers(nn.ConvTranspose2d, (factors, factors, channels, channels))

    def forward(self, maps: Tensor) -> Tensor:
        """Reconstruct ``maps`` (B, C, H, W)."""
        decoded: Tensor = self.decoder(self.encoder(maps))
        return decoded


def layers(
    convolution: type[nn.Conv2d] | type[nn.ConvTranspose2d],
    widths: Sequence[int],
    *,
    normalised: bool = False,
) -> Adapter:
    """Chain 3x3 convolution, batch norm if ``normalised``, and leaky rectifier per two widths."""
    parts: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        norm = nn.BatchNorm2d(outputs) if normalised else nn.Identity()
        parts += [convolution(inputs, outputs, 3, padding=1), norm, nn.LeakyReLU(0.1)]
    return Adapter(*parts)
