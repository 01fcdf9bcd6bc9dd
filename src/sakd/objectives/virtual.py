"""Steps of SGD that are computed and not taken, so that gradients can flow through them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.optim import SGD, Optimizer

from sakd.foundation.errors import UserError, require
from sakd.networks import StagedNetwork
from sakd.networks.staged import in_mode, twice_differentiable
from sakd.objectives.players import Optimisation


class Descent(NamedTuple):
    """SGD with momentum, between two of its steps.

    Attributes:
        lr: The learning rate.
        momentum: The momentum, without Nesterov.
        weight_decay: The L2 penalty.
        velocities: The momentum of each parameter.
    """

    lr: float
    momentum: float
    weight_decay: float
    velocities: Sequence[Tensor]

    @classmethod
    def of(cls, optimiser: Optimizer, parameters: Sequence[nn.Parameter]) -> Descent:
        """Describe the next step of ``optimiser`` on those of its ``parameters``.

        Raises:
            UserError: It is not SGD.
        """
        name = type(optimiser).__name__
        require(isinstance(optimiser, SGD), f"steps of {name} cannot be tried: take SGD")
        (group,) = optimiser.param_groups
        found = (optimiser.state.get(p, {}).get("momentum_buffer") for p in parameters)
        pairs = zip(parameters, found, strict=True)
        velocities = [
            torch.zeros_like(p) if velocity is None else velocity for p, velocity in pairs
        ]
        return cls(group["lr"], group["momentum"], group["weight_decay"], velocities)

    @classmethod
    def first(cls, recipe: Optimisation, parameters: Sequence[nn.Parameter]) -> Descent:
        """Describe the first step by ``recipe``."""
        velocities = [torch.zeros_like(p) for p in parameters]
        return cls(recipe.lr, recipe.momentum, recipe.weight_decay, velocities)

    def step(
        self, values: Sequence[Tensor], gradients: Sequence[Tensor | None]
    ) -> tuple[list[Tensor], Descent]:
        """Compute where a step leads from ``values``; those without a gradient stay."""
        velocities = [
            v if g is None else self.momentum * v + (g + self.weight_decay * x)
            for x, g, v in zip(values, gradients, self.velocities, strict=True)
        ]
        moved = [
            x if g is None else x - self.lr * v
            for x, g, v in zip(values, gradients, velocities, strict=True)
        ]
        return moved, self._replace(velocities=velocities)


class Trail:
    """A sequence of steps from a module's present parameters, along which gradients flow.

    Neither parameters nor buffers of the module change.
    """

    def __init__(
        self, module: nn.Module, parameters: Sequence[nn.Parameter], descent: Descent
    ) -> None:
        """Start at the ``parameters`` of ``module``, which ``descent`` moves."""
        self._module = _Within(module)
        names = {parameter: name for name, parameter in self._module.named_parameters()}
        self._names = [names[parameter] for parameter in parameters]
        self._buffers = {name: b.clone() for name, b in self._module.named_buffers()}
        self._values: Sequence[Tensor] = [p.detach().requires_grad_() for p in parameters]
        self._descent = descent

    def go(self, gradients: Sequence[Tensor | None]) -> None:
        """Take a step by given ``gradients``; no gradient flows through it."""
        with torch.no_grad():
            values, self._descent = self._descent.step(self._values, gradients)
        self._values = [value.detach().requires_grad_() for value in values]

    def follow(self, loss: Callable[[], Tensor]) -> None:
        """Take a step that lowers ``loss``, which may be differentiated twice."""
        here = self._values
        gradients = torch.autograd.grad(self.at(loss), here, create_graph=True, allow_unused=True)
        self._values, self._descent = self._descent.step(here, gradients)

    def at(self, loss: Callable[[], Tensor]) -> Tensor:
        """Compute ``loss``, a scalar, where the steps have led."""
        values = dict(zip(self._names, self._values, strict=True))
        with twice_differentiable(self._module):
            result: Tensor = functional_call(self._module, values | self._buffers, (loss,))
        return result


class _Within(nn.Module):
    """Runs an action that uses the parameters of a module."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, action: Callable[[], Tensor]) -> Tensor:
        return action()


def check_trail(network: StagedNetwork, image_shape: tuple[int, ...]) -> None:
    """Try gradients through steps of ``network`` on a black image (C, H, W).

    Raises:
        UserError: It cannot be differentiated twice.
    """
    parameters = [p for p in network.parameters() if p.requires_grad]
    image = parameters[0].new_zeros((1, *image_shape))
    weight = image.new_ones((), requires_grad=True)

    def loss() -> Tensor:
        logits: Tensor = network(image)
        return weight * logits.square().sum()

    trail = Trail(network, parameters, Descent.first(Optimisation(), parameters))
    try:
        with in_mode(network, training=False):
            for _ in range(2):
                trail.follow(loss)
            # `grad` would pass over operations that can be differentiated once.
            torch.autograd.backward(trail.at(loss))
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        raise UserError(
            f"the method tries steps of the student, whose network cannot be differentiated twice: "
            f"{reason}; take another network, or another distiller"
        ) from error


def with_gradients(
    loss: Tensor, parameters: Sequence[Tensor], gradients: Sequence[Tensor | None]
) -> Tensor:
    """Give a scalar of the value of ``loss`` whose gradients by ``parameters`` are given."""
    known = ((p * g).sum() for p, g in zip(parameters, gradients, strict=True) if g is not None)
    linear = torch.stack(list(known)).sum()
    return loss.detach() + (linear - linear.detach())
