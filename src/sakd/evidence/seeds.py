"""Differences of whole seeds, where it is not known which images were classified rightly."""

from __future__ import annotations

import numpy as np

from sakd.evidence.design import Array
from sakd.evidence.estimate import Estimate

_ROUNDING = 1e-9


def of_seeds(differences: Array) -> Estimate:
    """Estimate the mean of ``differences`` (R,), one of each seed, by Student's t.

    The noise of the test images is in it only as far as it differs between seeds. Seeds that agree
    to the last digit say nothing about their spread: the error is then unknown, as with one seed.
    """
    mean = float(differences.mean()) if len(differences) else np.nan
    if len(differences) <= 1 or np.ptp(differences) < _ROUNDING:
        return Estimate.unknown(mean)
    error = differences.std(ddof=1) / np.sqrt(len(differences))
    return Estimate(*map(np.asarray, (mean, error, len(differences) - 1)))
