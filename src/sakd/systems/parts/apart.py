"""Several losses of one forward pass by the same weights, each with a graph of its own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def apart(loss: Tensor, parameters: Sequence[nn.Parameter]) -> Tensor:
    """Give ``loss``, a scalar, with a graph that no other loss has a part in.

    Value and gradient by ``parameters`` are those of ``loss``; the graph is that of its linear part
    in them. So a backward pass from it leaves the forward pass to other losses.
    """
    found = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    pairs = zip(parameters, found, strict=True)
    moved = torch.stack([(p * gradient).sum() for p, gradient in pairs if gradient is not None])
    linear = moved.sum()
    return loss.detach() + (linear - linear.detach())
