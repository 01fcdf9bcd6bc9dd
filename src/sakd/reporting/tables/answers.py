"""Which test images each cell classifies rightly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]

Duel = tuple[str, str]
"""The ids of two cells, the second of which is subtracted from the first."""


class Answers:
    """The right answers of every cell, with images that are the same in every split."""

    def __init__(self, predictions: pd.DataFrame) -> None:
        """Read ``predictions``, a line per (cell, test image) as the evaluation makes them."""
        images, self._names = pd.factorize(predictions["content"].astype(str))
        table = pd.DataFrame(
            {
                "cell": predictions["cell"].astype(str),
                "image": images,
                "right": predictions["right"],
            }
        )
        self._found = {
            str(cell): (group["image"].to_numpy(), group["right"].to_numpy(dtype=float))
            for cell, group in table.groupby("cell", sort=False)
        }

    @property
    def images(self) -> int:
        """The number of different test images."""
        return len(self._names)

    def holds(self, cells: Iterable[str]) -> bool:
        """Tell whether every one of ``cells`` is here."""
        return all(cell in self._found for cell in cells)

    def counts(self, cells: Iterable[str]) -> tuple[list[int], int]:
        """Count the test images of each of ``cells``, and those that are different."""
        found = [self._found[cell][0] for cell in cells]
        return list(map(len, found)), len(np.unique(np.concatenate(found)))

    def differences(self, units: Sequence[Sequence[Duel]]) -> tuple[Array, NDArray[np.bool_]]:
        """Average the differences in right answers over the duels of each unit, image by image.

        Returns:
            The differences (units, images), and whether a duel of the unit was tested on the image.
        """
        rows = [self._unit(duels) for duels in units]
        values, tested = (np.stack(part) for part in zip(*rows, strict=True))
        used = tested.any(axis=0)
        return values[:, used], tested[:, used]

    def _unit(self, duels: Sequence[Duel]) -> tuple[Array, NDArray[np.bool_]]:
        total, count = np.zeros(len(self._names)), np.zeros(len(self._names))
        for duel in duels:
            (first, seen), (second, also) = map(self._shares, duel)
            tested = seen & also
            total += np.where(tested, first - second, 0.0)
            count += tested
        return total / np.maximum(count, 1), count > 0

    def _shares(self, cell: str) -> tuple[Array, NDArray[np.bool_]]:
        """Give the share of right answers on each image; an image may be in a split twice."""
        images, right = self._found[cell]
        count = np.bincount(images, minlength=len(self._names))
        total = np.bincount(images, weights=right, minlength=len(self._names))
        return total / np.maximum(count, 1), count > 0
