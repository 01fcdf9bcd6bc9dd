"""VGG networks with batch norm.

Simonyan & Zisserman, ICLR 2015, arXiv:1409.1556, table 1 (vgg11 = A, 13 = B, 16 = D, 19 = E) and
vgg8 with one convolution per stage (Tian et al., ICLR 2020); batch norm after every convolution
is Ioffe & Szegedy's, ICML 2015. A stage's feature is taken before the next max pooling.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from sakd.foundation.pooling import AveragePool
from sakd.networks.chain import Chain
from sakd.networks.staged import StagedNetwork
from sakd.networks.zoo.blocks import GlobalAveragePool, initialise, narrowed

WIDTHS = (64, 128, 256, 512, 512)
SMALLEST = 4
GRID = 7
HIDDEN = 4096

Convolutions = tuple[int, int, int, int, int]
"""The number of convolutions of each stage."""


class PoolLargeMaps(nn.Module):
    """Halves maps larger than 4 x 4 by max pooling; smaller ones stay as they are."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, C, H / 2, W / 2), or to itself."""
        return max_pool2d(x, 2) if min(x.shape[2:]) > SMALLEST else x


def vgg(
    num_classes: int, in_channels: int = 3, *, convolutions: Convolutions, keep: float = 1.0
) -> StagedNetwork:
    """Build a VGG network for small images: mean over all positions, then one linear layer.

    Every convolution has a share, ``keep``, of its channels.

    Differs from the paper: the last stage pools its input only where it is larger than 4 x 4
    (not for 32-pixel images), and the head has no hidden layers, as in the SAKD reference.
    """
    widths = [narrowed(width, keep) for width in WIDTHS]
    stages = _convolutional_stages(in_channels, convolutions, widths, last_pool=PoolLargeMaps())
    stages["embedding"] = GlobalAveragePool()
    stages["head"] = nn.Linear(widths[-1], num_classes)
    return initialise(Chain(stages, family="vgg"))


def vgg_imagenet(
    num_classes: int, in_channels: int = 3, *, convolutions: Convolutions, hidden: int = HIDDEN
) -> StagedNetwork:
    """Build a VGG network as for ImageNet: the head has two layers of ``hidden`` units and dropout.

    The embedding is a grid of 7 x 7 positions, (B, 25088); maps of another size are averaged
    or repeated to that grid. Images have at least 32 pixels a side.
    """
    stages = _convolutional_stages(in_channels, convolutions, WIDTHS, last_pool=nn.MaxPool2d(2))
    grid = AveragePool((GRID, GRID))
    stages["embedding"] = nn.Sequential(nn.MaxPool2d(2), grid, nn.Flatten())
    stages["head"] = nn.Sequential(
        *(nn.Linear(WIDTHS[-1] * GRID**2, hidden), nn.ReLU(), nn.Dropout()),
        *(nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout()),
        nn.Linear(hidden, num_classes),
    )
    return initialise(Chain(stages, family="vgg"))


def _convolutional_stages(
    in_channels: int, convolutions: Convolutions, widths: Sequence[int], *, last_pool: nn.Module
) -> dict[str, nn.Module]:
    stages: dict[str, nn.Module] = {}
    inputs = in_channels
    pools = (None, nn.MaxPool2d(2), nn.MaxPool2d(2), nn.MaxPool2d(2), last_pool)
    for number, (outputs, pool) in enumerate(zip(widths, pools, strict=True)):
        layers = [] if pool is None else [pool]
        for _ in range(convolutions[number]):
            conv = nn.Conv2d(inputs, outputs, 3, padding=1)
            layers += [conv, nn.BatchNorm2d(outputs), nn.ReLU()]
            inputs = outputs
        stages[f"stage{number}" if number else "stem"] = nn.Sequential(*layers)
    return stages
