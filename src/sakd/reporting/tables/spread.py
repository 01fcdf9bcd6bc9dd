"""Mean and standard deviation of a handful of seeds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation of a few measurements; NaN where there are too few.

    Attributes:
        mean: Arithmetic mean; NaN when n is 0.
        sd: Standard deviation with n - 1 in the denominator; NaN when n is below 2.
        n: Number of measurements.
    """

    mean: float
    sd: float
    n: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Summarise the values; NaN among them are left out."""
        kept = np.array([value for value in values if not math.isnan(value)], dtype=float)
        return cls(
            mean=float(kept.mean()) if len(kept) else math.nan,
            sd=float(kept.std(ddof=1)) if len(kept) > 1 else math.nan,
            n=len(kept),
        )

    def columns(self, prefix: str = "") -> dict[str, float | int]:
        """Name ``mean``, ``sd`` and ``n`` as columns: ``<prefix>mean`` and so on."""
        return {f"{prefix}mean": self.mean, f"{prefix}sd": self.sd, f"{prefix}n": self.n}
