"""A mean difference, and how well it is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from sakd.evidence.design import Array

LEVEL = 0.95
"""The level of every interval, and one minus the level of every test."""


@dataclass(frozen=True)
class Estimate:
    """A mean with its standard error and the degrees of freedom of that.

    Attributes:
        mean: The mean difference.
        error: Its standard error; NaN where it cannot be known.
        degrees: Degrees of freedom of the error, for Student's t.
    """

    mean: Array
    error: Array
    degrees: Array

    @classmethod
    def unknown(cls, mean: float) -> Estimate:
        """Give a ``mean`` of which nobody knows how well it is known."""
        return cls(*(np.asarray(number) for number in (mean, np.nan, np.nan)))

    @property
    def known(self) -> bool:
        """Tell whether there is an interval."""
        return bool(np.isfinite(self.error))

    def interval(self, level: float = LEVEL) -> tuple[Array, Array]:
        """Give the two-sided interval of that ``level``."""
        half = stdtrit(self.degrees, (1 + level) / 2) * self.error
        return self.mean - half, self.mean + half

    @property
    def p(self) -> Array:
        """The two-sided p-value of "there is no difference"."""
        p: Array = 2 * stdtr(self.degrees, -np.abs(self.mean) / self.error)
        return p

    @property
    def bound(self) -> Array:
        """The smallest d of which "no difference larger than d" holds at the level of 95 %.

        It is the farther end of the 90 % interval: two one-sided tests at d (TOST; Schuirmann,
        J. Pharmacokinet. Biopharm. 1987) both reject at 5 % if d is beyond it.
        """
        low, high = self.interval(2 * LEVEL - 1)
        bound: Array = np.maximum(-low, high)
        return bound
