"""The parameters that say how a run computes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from sakd.foundation.determinism import compute_deterministically
from sakd.foundation.errors import require
from sakd.foundation.machine import resolve_device

MOST_THREADS = 1024


@dataclass(frozen=True)
class Computing:
    """How a run computes: part of `sakd.study.parameters.Parameters`.

    Attributes:
        device: Where networks are trained; ``auto`` takes a GPU if there is one.
        threads: Threads of torch; None leaves the number to torch.
        deterministic: Whether a GPU, too, gives the same bits again, more slowly. A cell that needs
            an operation for which torch has no such way fails, and the others go on. On a CPU it
            changes no result.
        pack: The most cells of a row that are trained side by side: 1 for one after the other,
            None for as many as memory allows. On a CPU it changes no result.
        graph: Whether a GPU repeats recorded steps (CUDA graphs), which is faster and changes no
            arithmetic. Not for a network that counts its calls in Python.
    """

    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int | None = None
    deterministic: bool = False
    pack: int | None = None
    graph: bool = True

    def __post_init__(self) -> None:
        """Check the numbers."""
        fine = self.threads is None or 1 <= self.threads <= MOST_THREADS
        require(fine, f"threads must be 1 to {MOST_THREADS}, or null, got {self.threads}")
        fine = self.pack is None or self.pack >= 1
        require(fine, f"pack must be 1 or more, or null, got {self.pack}")

    def find_device(self) -> torch.device:
        """Find the device, and have it compute as it is asked to.

        Raises:
            UserError: A GPU is asked for, and torch sees no GPU; or deterministic operations, and
                it is too late for them.
        """
        if self.deterministic:
            compute_deterministically()
        return resolve_device(self.device)
