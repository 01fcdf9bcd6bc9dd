"""Several questions at once."""

from __future__ import annotations

import numpy as np

from sakd.evidence.design import Array


def holm(p: Array) -> Array:
    """Adjust the p-values (F,) of a family of questions; NaN is no question and stays NaN.

    Each is to be compared with the level alone, and the chance of any false difference among them
    is at most that level, however they depend on each other (Holm, Scand. J. Statist. 1979).
    """
    adjusted = np.full(len(p), np.nan)
    asked = np.flatnonzero(~np.isnan(p))
    order = asked[np.argsort(p[asked], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(factors * p[order]))
    return adjusted
