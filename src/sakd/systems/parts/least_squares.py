"""Linear least squares over rows that come part by part."""

from __future__ import annotations

import torch
from torch import Tensor


class LeastSquares:
    """Finds Q (D, C) with the least |X Q^T - Y|, in float64; of several, that of least norm.

    Kept of all rows X (N, C) and Y (N, D) is the triangle of their QR decomposition, which has the
    same solution, so that memory does not grow with N.
    """

    def __init__(self, inputs: int) -> None:
        """Begin without rows of X, which have ``inputs`` numbers."""
        self.inputs = inputs
        self.count = 0
        self._rows: Tensor | None = None

    def add(self, x: Tensor, y: Tensor) -> None:
        """Take further rows ``x`` (N, C) and ``y`` (N, D)."""
        rows = torch.cat([x, y], dim=1).double()
        if self._rows is not None:
            rows = torch.cat([self._rows, rows])
        self._rows = torch.linalg.qr(rows, mode="r").R
        self.count += len(x)

    def solve(self) -> tuple[Tensor, Tensor]:
        """Give Q (D, C), and |X Q^T - Y| / |Y|, a scalar."""
        if self._rows is None:
            raise ValueError("no rows were added")
        x, y = self._rows[:, : self.inputs], self._rows[:, self.inputs :]
        solution = torch.linalg.pinv(x) @ y
        size = y.norm().clamp_min(torch.finfo(y.dtype).tiny)
        return solution.T, (x @ solution - y).norm() / size
