"""The arithmetic in which networks run."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Precision:
    """The arithmetic of the forward passes.

    Losses, routing and updates are always computed in full precision.

    Attributes:
        autocast: The type of matrix products and convolutions; None for that of the weights.
    """

    autocast: torch.dtype | None = None

    def applied(self, device: torch.device) -> AbstractContextManager[object]:
        """Use this precision on ``device`` within the context."""
        if self.autocast is None:
            return nullcontext()
        return torch.autocast(device.type, dtype=self.autocast)


EXACT = Precision()
"""The precision of the weights: float32, unless the networks are of another type."""
