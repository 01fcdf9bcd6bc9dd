"""Batch norms in evaluation mode, where nobody needs the gradients of their weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import has_torch_function

from sakd.training.derived import Derived


def lay_norms_out(module: nn.Module, constant: Iterable[nn.Module] = ()) -> None:
    """Have the batch norms of maps in ``module`` take little time in evaluation mode.

    Torch computes the gradient of their maps as if it depended on these, and on a GPU it gives it
    with channels first, which is copied before the next convolution. Results differ by rounding.

    Args:
        module: What contains them; its maps have channels last.
        constant: Those parts of it whose statistics never change.
    """
    still = {part for each in constant for part in each.modules()}
    for part in module.modules():
        if type(part) is nn.BatchNorm2d and part.affine and part.track_running_stats:
            mine = vars(part).setdefault("forward", Evaluated(part))
            if isinstance(mine, Evaluated):
                mine.constant = part in still


class Evaluated:
    """The forward pass of a batch norm.

    Attributes:
        constant: Whether its statistics never change.
        done: Whether the convolution before it has done its work for the next maps.
    """

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        """Stand for that of ``norm``."""
        self.norm = norm
        self.constant = False
        self.done = False
        self._known = Derived(self._spread_of)

    def __call__(self, maps: Tensor) -> Tensor:
        """Normalise ``maps`` (B, C, H, W)."""
        norm = self.norm
        if self.done:
            self.done = False
            return maps
        if not self._applies(maps):
            return type(norm).forward(norm, maps)
        variance = cast("Tensor", norm.running_var)
        spread = self._known.of(variance) if self.constant else self._spread_of(variance)
        result: Tensor = _Scaled.apply(maps, norm, spread, norm.weight)
        return result

    def _applies(self, maps: Tensor) -> bool:
        norm, recorded = self.norm, torch.is_grad_enabled()
        if norm.training or norm.weight.dtype != torch.float32 or has_torch_function((maps,)):
            return False
        learns = recorded and (norm.weight.requires_grad or norm.bias.requires_grad)
        gains = maps.is_cuda or recorded
        return gains and not learns and maps.is_contiguous(memory_format=torch.channels_last)

    def _spread_of(self, variance: Tensor) -> Tensor:
        return torch.rsqrt(variance + self.norm.eps)


class _Scaled(torch.autograd.Function):
    """A batch norm by running statistics, with a gradient for its maps alone."""

    @staticmethod
    def forward(maps: Tensor, norm: nn.BatchNorm2d, spread: Tensor, weight: Tensor) -> Tensor:
        mean = cast("Tensor", norm.running_mean)
        if maps.is_cuda:
            return torch.batch_norm_elemt(maps, weight, norm.bias, mean, spread, norm.eps)
        return functional.batch_norm(
            maps, mean, norm.running_var, weight, norm.bias, momentum=0.0, eps=norm.eps
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ANN401, ARG004
        _, _, spread, weight = inputs
        ctx.save_for_backward(spread, weight)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        (gradient,) = gradients
        spread, weight = ctx.saved_tensors
        if torch.is_grad_enabled():  # this gradient is to be differentiated itself
            factor = (spread * weight).view(1, -1, 1, 1)
            return (gradient * factor).to(gradient.dtype), None, None, None
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        zeros = torch.zeros_like(spread)
        if gradient.is_cuda:
            return torch.batch_norm_elemt(gradient, weight, None, zeros, spread, 0.0), *[None] * 3
        ones, factor = torch.ones_like(spread), spread * weight
        scaled = functional.batch_norm(gradient, zeros, ones, factor, momentum=0.0, eps=0.0)
        return scaled, None, None, None
