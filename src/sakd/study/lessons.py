"""The images that a network learns from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sakd.data import DataCard, Images, Prepared, labelled_subset, mislabelled
from sakd.foundation.errors import require
from sakd.routing import POLICIES


@dataclass(frozen=True)
class Lessons:
    """The images that a network learns from.

    Attributes:
        train: All training images.
        per_class: Number of labelled images of each class to learn from; None for all.
        seed: The seed that chooses them, and wrong labels.
        aside: The images that are set aside for policies, if there are any.
        label_noise: Share of the chosen images that get a wrong label.
    """

    train: Prepared
    per_class: int | None = None
    seed: int = 0
    aside: Images | None = None
    label_noise: float = 0.0

    @property
    def card(self) -> DataCard:
        """The card of the data."""
        return self.train.card

    @property
    def images(self) -> Images:
        """The chosen images, with the labels to learn from."""
        chosen = labelled_subset(self.train.images, self.per_class, self.seed)
        if not self.label_noise:
            return chosen
        return mislabelled(chosen, self.label_noise, len(self.card.classes), self.seed)

    def aside_for(self, policy: str) -> Images | None:
        """Give the images that are set aside, where ``policy`` learns from them.

        Raises:
            UserError: There are none.
        """
        if not POLICIES[policy].learns_aside:
            return None
        found = f"policy {policy!r} learns from images set aside, and the prepared data have none"
        remedy = "run --pipelines data_preparation with data.set_aside above 0"
        require(self.aside is not None, f"{found}: {remedy}")
        return self.aside

    @property
    def facts(self) -> dict[str, Any]:
        """All that determines the images, as plain JSON."""
        of_data = {"data": self.card.sha256, "statistics": self.card.normalisation}
        chosen = {"per_class": self.per_class, "subset_seed": self.seed}
        noise = {"label_noise": self.label_noise} if self.label_noise else {}
        return of_data | chosen | noise
