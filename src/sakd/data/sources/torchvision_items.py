"""Images and labels of torchvision's dataset objects."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from PIL import Image

from sakd.data.pictures.stored import FORMATS, Pictures
from sakd.data.sources.classes import composed
from sakd.foundation.errors import UserError

TARGETS = ("targets", "labels", "_labels")  # where torchvision's classes keep all labels


class Items(Pictures):
    """The images of a torchvision dataset, one at a time: not all of its classes stand threads."""

    def __init__(self, items: Any, name: str) -> None:  # noqa: ANN401 - torchvision has no types
        """Read ``items``, called ``name`` in messages."""
        self._items = items
        self._name = name
        self._lock = Lock()

    def __len__(self) -> int:
        """Count the images."""
        return len(self._items)

    def open(self, number: int) -> Image.Image:
        """Take the image."""
        with self._lock:
            picture: Image.Image = self._items[number][0]
        return picture

    def where(self, number: int) -> str:
        """Give name and position."""
        return f"image {number} of {self._name}"


def open_picture(path: str | Path) -> Image.Image:
    """Open a picture for torchvision, as it is stored."""
    return Image.open(path, formats=FORMATS)


def labels_of(items: Any, name: str) -> list[int]:  # noqa: ANN401
    """Find the label of every image.

    Raises:
        UserError: The targets are not class numbers.
    """
    every = next((found for at in TARGETS if (found := getattr(items, at, None)) is not None), ())
    try:
        count = len(items)
        if len(every) != count:
            every = [items[number][1] for number in range(count)]
        return [operator.index(label) for label in every]
    except (TypeError, NotImplementedError) as error:
        message = (
            f"{name} has targets that are not class numbers; choose a dataset of classification"
        )
        raise UserError(message) from error


def classes_of(items: Any, labels: Sequence[int]) -> tuple[str, ...]:  # noqa: ANN401
    """Find the names of the classes; without names they are called by their numbers."""
    names = getattr(items, "classes", None) or range(max(labels) + 1)
    return tuple(composed(", ".join(n) if isinstance(n, tuple) else str(n)) for n in names)
