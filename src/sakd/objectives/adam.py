"""Adam, for players whose gradients have no known scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, overload

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from sakd.objectives.players import Optimisation


@dataclass(frozen=True)
class AdamOptimisation(Optimisation):
    """Adam with a learning rate that falls at milestones, if there are any.

    Attributes:
        momentum: The decay of the mean of gradients.
        memory: The decay of the mean of their squares.
    """

    lr: float = 1e-4
    weight_decay: float = 0.0
    milestones: tuple[float, ...] = ()
    memory: float = 0.999

    def optimiser(self, parameters: list[nn.Parameter]) -> Optimizer:
        """Make the optimiser of ``parameters``."""
        return Adam(
            parameters,
            lr=self.lr,
            momentum=self.momentum,
            memory=self.memory,
            weight_decay=self.weight_decay,
        )


class Adam(Optimizer):
    """Adam with an L2 penalty.

    Kingma & Ba, ICLR 2015, arXiv:1412.6980. It counts its steps in tensors, on any device, so that
    a recorded step can be repeated; that of torch does so on a GPU alone.
    """

    def __init__(self, parameters: list[nn.Parameter], **settings: float) -> None:
        """Update ``parameters``.

        Args:
            parameters: The parameters.
            settings: ``lr``, ``momentum``, ``memory`` and ``weight_decay``, as in
                `AdamOptimisation`.
        """
        super().__init__(parameters, dict(settings))

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
        gradient = gradient + group["weight_decay"] * parameter
        state["steps"] += 1
        state["mean"].lerp_(gradient, 1 - momentum)
        state["squares"].lerp_(gradient * gradient, 1 - memory)
        mean = state["mean"] / (1 - momentum ** state["steps"])
        squares = state["squares"] / (1 - memory ** state["steps"])
        parameter -= group["lr"] * mean / (squares.sqrt() + 1e-8)
