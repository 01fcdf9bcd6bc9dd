"""Weights that never change, kept in the type in which products are computed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from sakd.training.derived import Derived

Layer = nn.Conv2d | nn.Linear


def keep_cast(constant: Iterable[nn.Module], kind: torch.dtype) -> None:
    """Keep the weights of ``constant`` modules in ``kind`` as well, for automatic casts to it.

    Such casts keep their results for trained weights alone; others they convert in every pass.
    """
    for part in (part for module in constant for part in module.modules()):
        if type(part) is nn.Conv2d or type(part) is nn.Linear:
            mine = vars(part).setdefault("forward", Cast(part, kind))
            if isinstance(mine, Cast):
                mine.refresh()


class Cast:
    """The forward pass of a convolution or a linear layer."""

    def __init__(self, layer: Layer, kind: torch.dtype) -> None:
        """Stand for that of ``layer``; under casts to ``kind`` its weights are at hand."""
        self.layer = layer
        self.kind = kind
        self._weight = Derived(partial(Tensor.to, dtype=kind))
        self._bias = Derived(partial(Tensor.to, dtype=kind))

    def refresh(self) -> None:
        """Convert the weights again, if they have changed."""
        self._weight.of(self.layer.weight)
        if self.layer.bias is not None:
            self._bias.of(self.layer.bias)

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the layer to ``x``."""
        layer, device = self.layer, x.device.type
        compiling = torch.compiler.is_compiling()
        casts = torch.is_autocast_enabled(device) and (
            compiling or torch.get_autocast_dtype(device) is self.kind
        )
        if layer.weight.requires_grad or not casts:
            return self._applied(x, layer.weight, layer.bias)
        if not compiling:
            self.refresh()
        bias = None if layer.bias is None else self._bias.last
        return self._applied(x, self._weight.last, bias)

    def _applied(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if isinstance(self.layer, nn.Linear):
            return functional.linear(x, weight, bias)
        result: Tensor = self.layer._conv_forward(x, weight, bias)
        return result
