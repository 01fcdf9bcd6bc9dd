"""Which unit was measured on which image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Design:
    """The counts of an experiment in which units, such as seeds, are measured on images.

    Attributes:
        units: Number of units that were tested, R.
        images: Number of different images, C.
        tests: Number N of (unit, image) tests.
        unit_share: Sum over units of (tests of the unit / N)^2: 1 / R if all have the same number.
        image_share: Sum over images of (tests of the image / N)^2: 1 / C if all have the same.
        overlap: The chance that two units meet in an image, over the product of their numbers of
            tests; 1 / C if all units are measured on all images.
    """

    units: Array
    images: Array
    tests: Array
    unit_share: Array
    image_share: Array
    overlap: Array

    @classmethod
    def of(cls, tested: NDArray[np.bool_]) -> Design:
        """Count what was ``tested`` (R, C)."""
        per_unit, per_image = tested.sum(axis=1), tested.sum(axis=0)
        tests = tested.sum()
        squares, twice = (per_unit**2).sum(), (per_image**2).sum()
        overlap = (twice - tests) / max(tests**2 - squares, 1)
        counts = (int((each > 0).sum()) for each in (per_unit, per_image))
        numbers = (*counts, tests, squares / tests**2, twice / tests**2, overlap)
        return cls(*(np.asarray(number, dtype=float) for number in numbers))

    def with_units(self, units: Array) -> Design:
        """Describe the same experiment with another number of ``units`` of the same kind."""
        each = self.tests / self.units
        tests = units * each
        shared = 1 / tests + (1 - 1 / units) * self.overlap
        images = np.maximum(self.images, 1 / shared)
        return Design(units, images, tests, 1 / units, shared, self.overlap)

    def moments(self) -> Array:
        """Give the expected sums of squares (3, 3) per unit of each component of variance.

        Rows: of all tests, of the means of units, of the means of images, about the mean of all.
        Columns: the variance of units, of images, of the rest (Henderson's first method).
        """
        rows, columns, tests = self.units, self.images, self.tests
        of_units, of_images = tests * self.unit_share, tests * self.image_share
        return np.array(
            [
                [tests - of_units, tests - of_images, tests - 1],
                [tests - of_units, rows - of_images, rows - 1],
                [columns - of_units, tests - of_images, columns - 1],
            ],
            dtype=float,
        )
