"""Adam, in operations that a graph can repeat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


class Adam(Optimizer):
    """Adam with an L2 penalty, or with weight decay of its own (AdamW).

    Kingma & Ba, ICLR 2015, arXiv:1412.6980; Loshchilov & Hutter, ICLR 2019, arXiv:1711.05101. It
    counts its steps in tensors, on any device, so that a recorded step can be repeated; that of
    torch does so on a GPU alone.
    """

    def __init__(self, parameters: list[nn.Parameter], **settings: float | bool) -> None:
        """Update ``parameters``.

        Args:
            parameters: The parameters.
            settings: ``lr``, ``momentum``, ``memory`` and ``weight_decay``, as in
                `sakd.objectives.adam.AdamOptimisation`; and whether that is ``decoupled`` from the
                gradients.
        """
        super().__init__(parameters, {"decoupled": False, **settings})

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Update the parameters that have a gradient; see `torch.optim.Optimizer.step`."""
        loss = None if closure is None else closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group)
        return loss

    @torch.no_grad()
    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state, momentum, memory = self.state[parameter], group["momentum"], group["memory"]
        if not state:
            state["steps"] = parameter.new_zeros(())
            state["mean"] = torch.zeros_like(parameter)
            state["squares"] = torch.zeros_like(parameter)
        if group["decoupled"]:
            parameter *= 1 - group["lr"] * group["weight_decay"]
        else:
            gradient = gradient + group["weight_decay"] * parameter
        state["steps"] += 1
        state["mean"].lerp_(gradient, 1 - momentum)
        state["squares"].lerp_(gradient * gradient, 1 - memory)
        mean = state["mean"] / (1 - momentum ** state["steps"])
        squares = state["squares"] / (1 - memory ** state["steps"])
        parameter -= group["lr"] * mean / (squares.sqrt() + 1e-8)
