"""Merge 1x1 convolutions into the convolutions before them."""

from __future__ import annotations

import copy
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from sakd.networks.staged import StagedNetwork
from sakd.networks.watched import layers_of

TRIED = 4
"""Random images on which it is tried whether a batch norm can be merged."""


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
    found: list[Block] = []
    given: Tensor | None = None
    for layer in layers_of(network, image_shape):
        if isinstance(layer.module, nn.Conv2d):
            found.append(Block(layer.name, None))
            given = layer.given
        elif isinstance(layer.module, nn.BatchNorm2d) and layer.taken is given:
            found[-1] = found[-1]._replace(norm=layer.name)
    trial = _Trial(network, image_shape)
    return [block if trial.succeeds(block) else block._replace(norm=None) for block in found]


class _Trial:
    """Tries on a copy of a network whether batch norms can be merged without other effect."""

    def __init__(self, network: StagedNetwork, image_shape: tuple[int, ...]) -> None:
        self.network = copy.deepcopy(network).double().eval()
        like, source = next(self.network.parameters()), torch.Generator().manual_seed(0)
        for module in self.network.modules():
            if isinstance(module, nn.BatchNorm2d):  # fresh ones change nothing, merged or not
                drawn = torch.rand(module.num_features, generator=source).to(like)
                module.get_buffer("running_mean").copy_(drawn)
                module.get_buffer("running_var").copy_(1 + drawn)
        self.images = torch.randn(TRIED, *image_shape, generator=source).to(like)

    @torch.no_grad()
    def succeeds(self, block: Block) -> bool:
        """Merge the batch norm of ``block``, if it has one; tell whether the logits stay."""
        if block.norm is None:
            return True
        before = copy.deepcopy(self.network.state_dict())
        expected = self.network(self.images)
        width = cast("nn.Conv2d", self.network.get_submodule(block.convolution)).out_channels
        absorb(self.network, block, torch.eye(width).to(self.images))
        found = self.network(self.images)
        self.network.load_state_dict(before)
        return torch.allclose(found, expected, rtol=1e-6)


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
    weight, shift = _folded(convolution, norm)
    convolution.weight.copy_((mixing @ weight.flatten(1)).view_as(weight))
    if convolution.bias is not None:
        convolution.bias.copy_(mixing @ shift if norm is None else torch.zeros_like(shift))
    if norm is not None:
        norm.get_buffer("running_mean").zero_()
        norm.get_buffer("running_var").fill_(1)
        norm.weight.fill_((1 + norm.eps) ** 0.5)
        norm.bias.copy_(mixing @ shift)


def _folded(convolution: nn.Conv2d, norm: nn.BatchNorm2d | None) -> tuple[Tensor, Tensor]:
    """Give the weights (C, C_in, k, k) and the bias (C,) of both together, float64."""
    weight = convolution.weight.double()
    bias = weight.new_zeros(len(weight))
    if convolution.bias is not None:
        bias = convolution.bias.double()
    if norm is None:
        return weight, bias
    mean, variance = (norm.get_buffer(f"running_{name}").double() for name in ("mean", "var"))
    scale = norm.weight.double() / (variance + norm.eps).sqrt()
    return scale[:, None, None, None] * weight, (bias - mean) * scale + norm.bias.double()
