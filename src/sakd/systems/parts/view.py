"""Logits that several parts of a system give together, as a network to measure."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn


class View(nn.Module):
    """A network that is a function of the parts of a system; it has no weights of its own."""

    def __init__(self, system: nn.Module, logits: Callable[[Tensor], Tensor]) -> None:
        """Look at ``system``.

        Args:
            system: What ``logits`` runs; it follows the mode of this network.
            logits: Maps images (B, C, H, W) to logits (B, K), or to what ranks classes as they do.
        """
        super().__init__()
        self.system = system
        self.logits = logits

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) to logits (B, K)."""
        return self.logits(images)
