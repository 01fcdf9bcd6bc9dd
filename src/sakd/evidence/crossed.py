"""Differences that are crossed: several units, such as seeds, are measured on the same images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sakd.evidence.design import Array, Design
from sakd.evidence.estimate import Estimate

FEWEST = 4
"""The error of a mean is at least that of so many disagreeing tests (1.96^2, as of a score)."""

_POWER = 4


@dataclass(frozen=True)
class Components:
    """A mean difference with the variances of what it is a mean over.

    The model is d = mean + unit + image + rest, with independent random effects. The mean is meant
    for new units and new images of the same kind.

    Attributes:
        mean: The mean over all tests.
        unit: Variance between units, unbiased and so perhaps negative.
        image: Variance between images, likewise.
        rest: Variance of the rest: the interaction of both.
        fewest: The least variance of the mean: that of `FEWEST` disagreeing tests.
        design: What was measured on what.
    """

    mean: Array
    unit: Array
    image: Array
    rest: Array
    fewest: Array
    design: Design

    def estimate(self) -> Estimate:
        """Give the mean with its standard error, unknown for one unit, and degrees of freedom.

        The variance of the mean is that of its images, and that of its units where it is positive.
        Its degrees of freedom are Satterthwaite's, with a change. The R - 1 of the units count in
        full where units vary much more than images explain. Where they do not, the variance of the
        images, which is well known, is a floor that makes intervals too wide; there the share of
        the units in the uncertainty is taken down: the fourth power of their mean square by
        (R - 2) / 2 of that of the rest. The form is not derived but calibrated: see
        docs/protocol.md, and benchmarks/calibration.py for its rates.
        """
        design = self.design
        unit, image, rest = (
            self.unit * design.unit_share,
            self.image * design.image_share,
            self.rest / design.tests,
        )
        freedom = np.maximum(design.units - 1, 1)
        of_images = np.maximum(image + rest, 0)
        variance = np.maximum(of_images + np.maximum(unit, 0), self.fewest)
        taken = (freedom - 1) / 2 * np.maximum(rest, 0) ** _POWER
        of_units = np.maximum(np.maximum(unit + rest, 0) ** _POWER - taken, 0) ** (1 / _POWER)
        spread = of_units**2 / freedom + of_images**2 / np.maximum(design.images - 1, 1)
        most = np.maximum(design.tests - 1, 1)
        degrees = np.clip(variance**2 / np.maximum(spread, variance**2 / most), freedom, most)
        error = np.where(design.units > 1, np.sqrt(variance), np.nan)
        return Estimate(self.mean, error, degrees)


def components(differences: Array, tested: NDArray[np.bool_] | None = None) -> Components:
    """Split the variance of ``differences`` (..., R, C) of R units on C images.

    Args:
        differences: Of two methods on each image, such as -1, 0 or 1; leading axes are a batch.
        tested: (R, C) whether the unit was measured on the image; None for every unit on every
            image. Values elsewhere are ignored.

    Returns:
        The components of variance by Henderson's first method, which for every unit on every image
        are those of the analysis of variance.
    """
    shape = differences.shape[-2:]
    tested = np.ones(shape, dtype=bool) if tested is None else tested
    design = Design.of(tested)
    values = np.where(tested, differences, 0.0)
    mean = values.sum(axis=(-2, -1)) / design.tests
    centred = np.where(tested, values - mean[..., None, None], 0.0)
    squares = np.stack(
        [
            (centred**2).sum(axis=(-2, -1)),
            (centred.sum(axis=-1) ** 2 / np.maximum(tested.sum(axis=1), 1)).sum(axis=-1),
            (centred.sum(axis=-2) ** 2 / np.maximum(tested.sum(axis=0), 1)).sum(axis=-1),
        ],
        axis=-1,
    )
    unit, image, rest = np.moveaxis(squares @ np.linalg.pinv(design.moments()).T, -1, 0)
    return Components(mean, unit, image, rest, _fewest(values, design), design)


def _fewest(values: Array, design: Design) -> Array:
    """Compute the variance of the mean if `FEWEST` images differed as those that do.

    Where no image differs it is that of tests that differ by 1, as in the rule of three.
    """
    differs = (values != 0).any(axis=-2)
    count = np.maximum(differs.sum(axis=-1), 1)
    tests = np.maximum((values != 0).sum(axis=(-2, -1)), 1)
    by_image = (values.sum(axis=-2) ** 2).sum(axis=-1) / count
    by_test = (values**2).sum(axis=(-2, -1)) / tests
    size = np.where(differs.any(axis=-1), np.maximum(by_image, by_test), 1.0)
    fewest: Array = FEWEST * size / design.tests**2
    return fewest
