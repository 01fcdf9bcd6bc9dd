"""Convolutions whose outputs one batch norm alone takes, so that both can be one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from sakd.networks.staged import StagedNetwork, in_mode

TRIED = 2
"""Random images on which it is tried who takes an output."""

Pairs = dict[nn.Conv2d, nn.BatchNorm2d]


@torch.no_grad()
def normed_convolutions(network: StagedNetwork, image_shape: tuple[int, ...]) -> Pairs:
    """Find the convolutions whose outputs a batch norm of the same stage takes, and nobody else.

    It is tried: they give other outputs, their norms turn these back, and no bit of a feature may
    change. In a stage where one does, none is found.

    Args:
        network: The network, which runs stage by stage.
        image_shape: The shape (C, H, W) of its images.

    Returns:
        The norms by their convolutions, in the order in which these run first.
    """
    some, found = next(network.parameters()), Pairs()
    calls: Counter[nn.Module] = Counter()
    images = torch.randn(TRIED, *image_shape, generator=torch.Generator().manual_seed(0))
    x = images.to(some)
    with (
        in_mode(network, training=False),
        network.uncompiled(),
        torch.autocast(x.device.type, enabled=False),
    ):
        for index in range(len(network.stage_names)):
            with _noted(network, calls) as pairs:
                expected = network.run(x.clone(), index, index + 1)
            with _disguised(pairs):
                given = network.run(x.clone(), index, index + 1)
            if torch.equal(given, expected):
                found |= pairs
            x = expected
    return {
        convolution: norm
        for convolution, norm in found.items()
        if calls[convolution] == calls[norm] == 1
    }


@contextmanager
def _noted(network: nn.Module, calls: Counter[nn.Module]) -> Iterator[Pairs]:
    """Note the batch norms whose input is the very output of a convolution, and count calls."""
    pairs: Pairs = {}
    givers: dict[int, tuple[nn.Conv2d, Tensor]] = {}  # outputs are kept, so that none looks alike

    def note(module: nn.Module, taken: tuple[Tensor, ...], given: Tensor) -> None:
        calls[module] += 1
        if isinstance(module, nn.Conv2d):
            givers[id(given)] = module, given
        elif isinstance(module, nn.BatchNorm2d) and id(taken[0]) in givers:
            pairs[givers[id(taken[0])][0]] = module

    with ExitStack() as hooks:
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.BatchNorm2d):
                hooks.callback(module.register_forward_hook(note).remove)
        yield pairs


@contextmanager
def _disguised(pairs: Mapping[nn.Conv2d, nn.BatchNorm2d]) -> Iterator[None]:
    """Have convolutions give other outputs within the context, which their norms turn back.

    No bit is lost on the way.
    """

    def other(_module: nn.Module, _taken: tuple[Tensor, ...], given: Tensor) -> Tensor:
        return -2 * given

    def same(_module: nn.Module, taken: tuple[Tensor, ...]) -> Tensor:
        return -0.5 * taken[0]

    with ExitStack() as hooks:
        for convolution, norm in pairs.items():
            hooks.callback(convolution.register_forward_hook(other).remove)
            hooks.callback(norm.register_forward_pre_hook(same).remove)
        yield


def folded(convolution: nn.Conv2d, norm: nn.BatchNorm2d | None) -> tuple[Tensor, Tensor]:
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
