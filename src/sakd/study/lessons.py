"""The images that a network learns from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sakd.data import DataCard, Images, Prepared, labelled_subset


@dataclass(frozen=True)
class Lessons:
    """The images that a network learns from.

    Attributes:
        train: All training images.
        per_class: Number of labelled images of each class to learn from; None for all.
        seed: The seed that chooses them.
        aside: The images that are set aside for policies, if there are any.
    """

    train: Prepared
    per_class: int | None = None
    seed: int = 0
    aside: Images | None = None

    @property
    def card(self) -> DataCard:
        """The card of the data."""
        return self.train.card

    @property
    def images(self) -> Images:
        """The chosen images."""
        return labelled_subset(self.train.images, self.per_class, self.seed)

    @property
    def facts(self) -> dict[str, Any]:
        """All that determines the images, as plain JSON."""
        of_data = {"data": self.card.sha256, "statistics": self.card.normalisation}
        return of_data | {"per_class": self.per_class, "subset_seed": self.seed}
