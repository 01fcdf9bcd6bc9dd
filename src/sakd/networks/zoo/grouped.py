"""Grouped 1x1 convolutions, which a GPU computes as products of matrices."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sakd.networks.zoo.blocks import conv_bn


def grouped_bn(inputs: int, outputs: int, groups: int) -> nn.Sequential:
    """Make a 1x1 convolution in ``groups``, or a plain one for one group, and a batch norm."""
    if groups == 1:
        return conv_bn(inputs, outputs)
    return nn.Sequential(GroupedPointwise(inputs, outputs, groups), nn.BatchNorm2d(outputs))


class GroupedPointwise(nn.Conv2d):
    """A 1x1 convolution in groups of channels, without bias.

    On a GPU it is one product for all groups: cuDNN has no fast kernels for few groups of many
    channels. Elsewhere it is torch's own convolution, to the last bit.
    """

    def __init__(self, inputs: int, outputs: int, groups: int) -> None:
        """Map ``inputs`` to ``outputs`` channels; both are multiples of ``groups``."""
        super().__init__(inputs, outputs, 1, groups=groups, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H, W)."""
        if input.is_cuda:
            return pointwise_by_products(input, self.weight, self.groups)
        return super().forward(input)


def pointwise_by_products(maps: Tensor, weight: Tensor, groups: int) -> Tensor:
    """Convolve ``maps`` by ``groups`` products of matrices.

    Args:
        maps: Of shape (B, C, H, W).
        weight: Of a 1x1 convolution, (K, C / G, 1, 1), where G is ``groups``.
        groups: How many there are.

    Returns:
        Maps (B, K, H, W), laid out in memory as ``maps`` are.
    """
    channels_last = maps.is_contiguous(memory_format=torch.channels_last)
    positions = maps.permute(0, 2, 3, 1)
    taken = positions.reshape(*positions.shape[:3], groups, -1)
    kernels = weight.view(groups, -1, weight.shape[1])
    given = torch.einsum("bhwgc,gkc->bhwgk", taken, kernels).flatten(-2).permute(0, 3, 1, 2)
    return given if channels_last else given.contiguous()
