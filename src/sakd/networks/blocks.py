"""Building blocks shared by the network families."""

from __future__ import annotations

from torch import Tensor, nn


def conv3x3(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    """A 3x3 convolution with padding 1 and no bias."""
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)


class GlobalAveragePool(nn.Module):
    """Mean over all positions: (B, C, H, W) to (B, C)."""

    def forward(self, x: Tensor) -> Tensor:
        """Average every channel map."""
        return x.mean(dim=(2, 3))


def initialise(network: nn.Module) -> None:
    """He initialisation (fan out) for convolutions, one and zero for batch norms.

    He et al., ICCV 2015, arXiv:1502.01852; linear layers keep torch's default.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
