"""Building blocks that the families of networks share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)
Block = Callable[[int, int, int], nn.Module]
"""Makes a block from its input channels, output channels and stride."""


def narrowed(channels: int, keep: float) -> int:
    """Count the ``channels`` of a layer of which a share, ``keep``, is left: at least one.

    >>> narrowed(16, 0.5), narrowed(16, 1.0), narrowed(16, 0.01)
    (8, 16, 1)
    """
    return max(1, round(channels * keep))


def conv3x3(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    """Make a 3x3 convolution with padding 1 and no bias."""
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)


def conv_bn(
    inputs: int, outputs: int, kernel: int = 1, *, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """Make a convolution without bias and a batch norm; the size changes by ``stride`` alone."""
    padding = kernel // 2
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


def shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """Make an empty module, or `conv_bn` of 1x1 where the shape changes."""
    same = stride == 1 and inputs == outputs
    return nn.Sequential() if same else conv_bn(inputs, outputs, stride=stride)


def conv_bn_relu(
    inputs: int, outputs: int, kernel: int = 1, *, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """Make `conv_bn` and a rectifier."""
    layers = conv_bn(inputs, outputs, kernel, stride=stride, groups=groups)
    return layers.append(nn.ReLU())


def chain(block: Block, inputs: int, outputs: int, *, length: int, stride: int) -> nn.Sequential:
    """Make ``length`` blocks; the first changes the channels and divides the size by ``stride``."""
    rest = (block(outputs, outputs, 1) for _ in range(length - 1))
    return nn.Sequential(block(inputs, outputs, stride), *rest)


class GlobalAveragePool(nn.Module):
    """Averages over all positions."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, C)."""
        return x.mean(dim=(2, 3))


def initialise(network: Network) -> Network:
    """Initialise convolutions by He (fan out) and batch norms by one and zero, and return it.

    He et al., ICCV 2015, arXiv:1502.01852; linear layers keep torch's default.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    return network
