"""Merge 1x1 convolutions into the convolutions before them."""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from sakd.networks.normed import folded, normed_convolutions
from sakd.networks.staged import StagedNetwork
from sakd.networks.watched import layers_of


class Block(NamedTuple):
    """A convolution and, by its name, the batch norm that alone takes its outputs, if one does."""

    convolution: str
    norm: str | None

    @property
    def end(self) -> str:
        """The module after which a 1x1 convolution is merged: mostly before a rectifier."""
        return self.norm or self.convolution


def blocks_of(network: StagedNetwork, image_shape: tuple[int, ...]) -> list[Block]:
    """List the convolutions of ``network`` in the order in which they run.

    Args:
        network: The network.
        image_shape: The shape (C, H, W) of its images.

    Raises:
        UserError: The network cannot take such images.
    """
    convolutions = {
        layer.name: layer.module
        for layer in layers_of(network, image_shape)
        if isinstance(layer.module, nn.Conv2d)
    }
    names = {module: name for name, module in network.named_modules()}
    norms = normed_convolutions(network, image_shape)
    return [Block(name, names.get(norms.get(module))) for name, module in convolutions.items()]


@torch.no_grad()
def absorb(network: nn.Module, block: Block, mixing: Tensor) -> None:
    """Merge a 1x1 convolution after ``block`` into it.

    Args:
        network: Where the block is; in evaluation mode it then gives what both gave.
        block: A convolution, and perhaps its batch norm. That one is merged as well, and gives
            nothing but the bias from then on.
        mixing: The matrix (C, C) of the 1x1 convolution, float64.
    """
    convolution = cast("nn.Conv2d", network.get_submodule(block.convolution))
    norm = cast("nn.BatchNorm2d", network.get_submodule(block.norm)) if block.norm else None
    weight, shift = folded(convolution, norm)
    convolution.weight.copy_((mixing @ weight.flatten(1)).view_as(weight))
    if convolution.bias is not None:
        convolution.bias.copy_(mixing @ shift if norm is None else torch.zeros_like(shift))
    if norm is not None:
        norm.get_buffer("running_mean").zero_()
        norm.get_buffer("running_var").fill_(1)
        norm.weight.fill_((1 + norm.eps) ** 0.5)
        norm.bias.copy_(mixing @ shift)
