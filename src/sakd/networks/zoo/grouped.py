"""Grouped 1x1 convolutions and shuffles of channels, in forms that are fast on a GPU."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from sakd.networks.zoo.blocks import conv_bn


def grouped_bn(inputs: int, outputs: int, groups: int) -> nn.Sequential:
    """Make a 1x1 convolution in ``groups``, or a plain one for one group, and a batch norm."""
    if groups == 1:
        return conv_bn(inputs, outputs)
    return nn.Sequential(GroupedPointwise(inputs, outputs, groups), nn.BatchNorm2d(outputs))


class GroupedPointwise(nn.Conv2d):
    """A 1x1 convolution in groups of channels, without bias.

    On a GPU it is one of all channels, whose weights from group to group are zero: cuDNN has no
    fast kernels for few groups of many channels. Elsewhere it is torch's own, to the last bit.
    """

    def __init__(self, inputs: int, outputs: int, groups: int) -> None:
        """Map ``inputs`` to ``outputs`` channels; both are multiples of ``groups``."""
        super().__init__(inputs, outputs, 1, groups=groups, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H, W)."""
        if input.is_cuda:
            return conv2d(input, ungrouped(self.weight, self.groups))
        return super().forward(input)


class Shuffle(nn.ChannelShuffle):
    """Interleaves groups of channels; the layout of maps in memory stays as it is on a GPU, too."""

    def forward(self, input: Tensor) -> Tensor:
        """Give (B, C, H, W) with channels in another order."""
        if input.is_cuda and input.is_contiguous(memory_format=torch.channels_last):
            return shuffled(input, self.groups)
        return super().forward(input)


def ungrouped(weight: Tensor, groups: int) -> Tensor:
    """Fill the ``weight`` (K, C / groups, 1, 1) of a convolution in ``groups`` up by zeros.

    Returns:
        That of one group, (K, C, 1, 1).
    """
    blocks = weight.view(groups, -1, weight.shape[1]).permute(1, 2, 0)
    return torch.diag_embed(blocks, dim1=0, dim2=2).flatten(2).flatten(0, 1)[..., None, None]


def shuffled(maps: Tensor, groups: int) -> Tensor:
    """Interleave the ``groups`` of channels of ``maps`` (B, C, H, W), laid out channels last."""
    positions = maps.permute(0, 2, 3, 1)
    apart = positions.view(*positions.shape[:3], groups, -1)
    return apart.transpose(-1, -2).flatten(-2).permute(0, 3, 1, 2)
