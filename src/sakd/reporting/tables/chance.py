"""The accuracy of naming the largest class, and the noise of a test split."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sakd.data import DataCard

_DEVIATIONS = 2
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Majority:
    """A model that always names the largest class of the test images.

    Attributes:
        share: Its accuracy: the share of that class among the test images.
        balanced: Its balanced accuracy: one over the number of classes with test images.
        images: Number of test images.
    """

    share: float
    balanced: float
    images: int

    @classmethod
    def of(cls, data: DataCard) -> Majority:
        """Count the test images of each class."""
        counts = data.counts["test"]
        classes = sum(count > 0 for count in counts)
        return cls(data.majority_share("test"), 1 / classes, sum(counts))

    @property
    def bound(self) -> float:
        """The highest accuracy that is near chance.

        It is the majority share m plus what the noise of n test images allows: two standard
        errors, 2 * sqrt(m * (1 - m) / n), and never more than 1.
        """
        noise = math.sqrt(self.share * (1 - self.share) / self.images)
        return min(1.0, self.share + _DEVIATIONS * noise)


def below(accuracy: float, other: float) -> bool:
    """Compare two accuracies; means that differ by rounding are equal."""
    return accuracy < other - _ROUNDING
