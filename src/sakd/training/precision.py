"""In which arithmetic networks run."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Precision:
    """The arithmetic of the forward passes.

    Losses, routing and updates are computed in full precision whatever stands here.

    Attributes:
        autocast: Run matrix products and convolutions in this type; None for the weights' own.
    """

    autocast: torch.dtype | None = None

    def applied(self, device: torch.device) -> AbstractContextManager[object]:
        """Run what is inside in this precision on ``device``."""
        if self.autocast is None:
            return nullcontext()
        return torch.autocast(device.type, dtype=self.autocast)


EXACT = Precision()
"""Everything as the weights are: float32 unless the networks are made otherwise."""
