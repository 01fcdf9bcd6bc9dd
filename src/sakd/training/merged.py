"""Batch norms of frozen networks as part of the convolutions before them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sakd.networks import StagedNetwork
from sakd.networks.normed import folded, normed_convolutions
from sakd.training.constant import keep_cast
from sakd.training.derived import State, state_of
from sakd.training.evaluated import Evaluated
from sakd.training.narrow import lay_narrow_maps_out

OPTIONS = (
    *("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation"),
    *("groups", "padding_mode"),
)
"""What a convolution is made of, but for its weights."""


def merge_norms(constant: Iterable[nn.Module]) -> None:
    """Have networks among ``constant`` modules run batch norms as part of convolutions.

    That holds for float32 weights on a CPU, in evaluation mode. Results differ by rounding. The
    weights stay as they are; those of both are made from them, and again if they change after all.

    Args:
        constant: Modules that never change, with norms laid out by `lay_norms_out`.
    """
    for module in constant:
        if isinstance(module, StagedNetwork):
            vars(module).setdefault("run", Merging(module))


@dataclass
class Scope:
    """Whether a network is ``running`` as a whole, so that its layers may be merged."""

    running: bool = False


class Merging:
    """The `StagedNetwork.run` of a network whose norms are merged while it runs.

    The first images that come tell which can be.
    """

    def __init__(self, network: StagedNetwork) -> None:
        """Stand for that of ``network``."""
        self.network = network
        self._scope = Scope()
        self._merged: list[Merged] | None = None

    def __call__(self, x: Tensor, start: int = 0, stop: int | None = None) -> Tensor:
        """Apply ``stages[start:stop]`` to ``x``."""
        plain = type(x) is Tensor and x.is_cpu and not torch.is_inference_mode_enabled()
        if self._merged is None and plain and start == 0:
            self._merged = list(self._found(x))
        self._scope.running = plain
        try:
            return type(self.network).run(self.network, x, start, stop)
        finally:
            self._scope.running = False
            for one in self._merged or ():  # an error may have come before the norm
                one.evaluated.done = False

    def _found(self, images: Tensor) -> Iterator[Merged]:
        pairs = normed_convolutions(self.network, tuple(images.shape[1:]))
        for convolution, norm in pairs.items():
            evaluated = vars(norm).get("forward")
            exact = convolution.weight.dtype == norm.weight.dtype == torch.float32
            if type(convolution) is nn.Conv2d and isinstance(evaluated, Evaluated) and exact:
                one = Merged(convolution, evaluated, self._scope)
                vars(convolution)["forward"] = one
                yield one


class Merged:
    """The forward pass of a convolution and, while their network runs, of its batch norm too."""

    def __init__(self, convolution: nn.Conv2d, evaluated: Evaluated, scope: Scope) -> None:
        """Stand for that of ``convolution``, whose outputs ``evaluated`` alone takes."""
        self.convolution = convolution
        self.evaluated = evaluated
        self._scope = scope
        self._state: State = ()
        options: dict[str, Any] = {name: getattr(convolution, name) for name in OPTIONS}
        both = nn.Conv2d(**options, device="meta")  # so that no random weights are drawn
        self._both = both.to_empty(device="cpu").requires_grad_(False)
        self._both.to(memory_format=torch.channels_last)
        lay_narrow_maps_out(self._both)
        keep_cast([self._both], torch.bfloat16)

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the convolution, or both, to ``x``."""
        if not self._applies():
            return type(self.convolution).forward(self.convolution, x)
        self._refresh()
        self.evaluated.done = True
        result: Tensor = self._both(x)
        return result

    def _applies(self) -> bool:
        """Whether both may run as one now: nobody trains them, nor looks between them."""
        convolution, norm = self.convolution, self.evaluated.norm
        learns = any(w.requires_grad for w in (convolution.weight, norm.weight, norm.bias))
        watched = convolution._forward_hooks or norm._forward_pre_hooks
        return self._scope.running and not (norm.training or learns or watched)

    @torch.no_grad()
    def _refresh(self) -> None:
        """Fold the norm into the weights again, if anything has changed."""
        convolution, norm = self.convolution, self.evaluated.norm
        sources = (convolution.weight, convolution.bias, norm.weight, norm.bias)
        state = state_of(*sources, norm.running_mean, norm.running_var)
        if state == self._state:
            return
        weight, bias = folded(convolution, norm)
        self._both.weight.copy_(weight)
        self._both.get_parameter("bias").copy_(bias)
        self._state = state
