"""Convolutions of narrow maps, which oneDNN computes faster with channels first."""

from __future__ import annotations

import platform
from typing import Any

import torch
from torch import Tensor, nn

WIDTH = 4
"""The largest width for which float32 convolutions of channels-last maps are slow on x86-64."""

CHANNELS = 128
"""The fewest channels in a sum for which they take so long that turning the maps pays."""


def lay_narrow_maps_out(module: nn.Module) -> None:
    """Have convolutions in ``module`` take narrow maps with channels first, whatever others take.

    That holds for float32 on x86-64 processors. There oneDNN multiplies rows of channels-last maps,
    and short rows leave most of an instruction unused.
    """
    if platform.machine().lower() not in {"x86_64", "amd64"}:
        return
    for part in module.modules():
        known = _channels_first in part._forward_pre_hooks.values()
        if isinstance(part, nn.Conv2d) and max(part.kernel_size) > 1 and not known:
            part.register_forward_pre_hook(_channels_first)


def _channels_first(convolution: nn.Conv2d, given: tuple[Tensor]) -> Tensor | None:
    (maps,) = given
    dense = convolution.in_channels // convolution.groups >= CHANNELS
    narrow = dense and maps.shape[-1] <= WIDTH
    exact = maps.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    if not (narrow and exact and maps.is_cpu):
        return None
    weight = convolution.weight
    if isinstance(weight, nn.Parameter) and not weight.is_contiguous():
        weight.data = weight.data.contiguous()  # the same values, so gradients hold
    turned: Tensor = maps if maps.is_contiguous() else _Turned.apply(maps)
    return turned


class _Turned(torch.autograd.Function):
    """Channels-last maps with channels first; their gradient has channels last again.

    The layers before, such as pools, would copy it.
    """

    @staticmethod
    def forward(maps: Tensor) -> Tensor:
        return maps.contiguous()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:  # noqa: ANN401
        """Keep nothing."""

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ANN401
        (gradient,) = gradients
        return gradient.contiguous(memory_format=torch.channels_last)
