"""Pictures as they are stored, each opened when asked for."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from sakd.foundation.files import openable

FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "BMP", "GIF", "TIFF", "PPM")
"""By content, whatever the names of the files say."""


class Pictures(ABC):
    """N pictures, encoded or not."""

    @abstractmethod
    def __len__(self) -> int:
        """Count them."""

    @abstractmethod
    def open(self, number: int) -> Image.Image:
        """Open picture ``number``; the pixels are decoded when they are used."""

    @abstractmethod
    def where(self, number: int) -> str:
        """Say which picture this is, for messages."""


@dataclass(frozen=True)
class Files(Pictures):
    """A picture per file."""

    paths: Sequence[Path]

    def __len__(self) -> int:
        """Count the files."""
        return len(self.paths)

    def open(self, number: int) -> Image.Image:
        """Open the file."""
        return Image.open(openable(self.paths[number]), formats=FORMATS)

    def where(self, number: int) -> str:
        """Give the path."""
        return str(self.paths[number])


@dataclass(frozen=True)
class Encoded(Pictures):
    """The content of picture files, None if it is missing.

    Attributes:
        contents: The bytes.
        places: For each of them the file that holds it and its row there.
    """

    contents: Sequence[bytes | None]
    places: Sequence[tuple[Path, int]]

    def __len__(self) -> int:
        """Count the contents."""
        return len(self.contents)

    def open(self, number: int) -> Image.Image:
        """Read the bytes."""
        content = self.contents[number]
        if not content:
            raise ValueError("no bytes")
        return Image.open(io.BytesIO(content), formats=FORMATS)

    def where(self, number: int) -> str:
        """Name row and file."""
        file, row = self.places[number]
        return f"image {row} of {file}"
