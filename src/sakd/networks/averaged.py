"""A running average of a network's parameters."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Averaged(nn.Module):
    """A copy of a network that follows its parameters.

    After the t-th update, counted from 1, the copy is d times itself and 1 - d times the network,
    d = min(1 - 1 / (t + 1), decay): the plain mean of all so far, until ``decay`` is reached.
    Buffers are not averaged.
    """

    updates: Tensor

    def __init__(self, copy: nn.Module, decay: float) -> None:
        """Let ``copy``, a network of the same shape, follow."""
        super().__init__()
        self.network = copy.requires_grad_(False)
        self.decay = decay
        self.register_buffer("updates", torch.zeros(()))

    @torch.no_grad()
    def follow(self, network: nn.Module, *, statistics: bool = False) -> None:
        """Move towards the present parameters of ``network``.

        Args:
            network: The network.
            statistics: Whether its present buffers, such as the statistics of batch norms, take the
                place of those of the copy.
        """
        self.updates += 1
        rate = (1 / (self.updates + 1)).clamp(min=1 - self.decay)
        pairs = zip(self.network.parameters(), network.parameters(), strict=True)
        for own, present in pairs:
            own.lerp_(present, rate.to(own.dtype))
        if statistics:
            buffers = zip(self.network.buffers(), network.buffers(), strict=True)
            for kept, found in buffers:
                kept.copy_(found)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) to logits (B, K), in the present mode."""
        logits: Tensor = self.network(images)
        return logits
