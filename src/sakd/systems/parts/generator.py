"""A network that makes images of noise."""

from __future__ import annotations

from torch import nn

SHRINK = 4
"""How many times smaller the first maps are than the images, in height and width."""

SLOPE = 0.2


class Generator(nn.Sequential):
    """The generator of DAFL (Chen et al., ICCV 2019, arXiv:1904.01186) and of DFAD.

    A linear layer to maps of a quarter of the size, batch norm, then twice: doubled by its nearest
    neighbours, a 3x3 convolution, batch norm, leaky rectifier; then a 3x3 convolution to the
    channels of the images, tanh, and a batch norm without weights, so that images have the mean and
    deviation of normalised data. It maps noise (B, latent) to images (B, C, H, W).
    """

    def __init__(
        self, latent: int, image_shape: tuple[int, ...], *, width: int = 128, eps: float = 1e-5
    ) -> None:
        """Make images of ``image_shape`` (C, H, W) of ``latent`` numbers each.

        Args:
            latent: Numbers of noise for an image.
            image_shape: (C, H, W).
            width: Channels of the first maps; the second have half of them.
            eps: Of the batch norms after the first two convolutions.
        """
        channels, height, wide = image_shape
        first = tuple(-(-side // SHRINK) for side in (height, wide))
        doubled = tuple(-(-side * 2 // SHRINK) for side in (height, wide))
        half = width // 2
        super().__init__(
            nn.Linear(latent, width * first[0] * first[1]),
            nn.Unflatten(1, (width, *first)),
            nn.BatchNorm2d(width),
            nn.Upsample(size=doubled),
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width, eps=eps),
            nn.LeakyReLU(SLOPE),
            nn.Upsample(size=(height, wide)),
            nn.Conv2d(width, half, 3, padding=1),
            nn.BatchNorm2d(half, eps=eps),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(half, channels, 3, padding=1),
            nn.Tanh(),
            nn.BatchNorm2d(channels, affine=False),
        )
