"""Shared base of the datasets of the user's own images."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sakd.data.sources.base import DIGITS
from sakd.data.sources.reading import PictureSet
from sakd.foundation.errors import require
from sakd.foundation.files import readable
from sakd.foundation.names import file_name

LONGEST_NAME = 64  # letters of a folder that are part of file names


@dataclass(frozen=True)
class OwnImages(PictureSet):
    """Images that lie in a folder of the user's.

    Raises:
        UserError: They are to be downloaded.
    """

    sources: ClassVar[tuple[str, ...]] = ("files",)
    layout: ClassVar[str]
    """The layout that the folder must have, for messages."""

    def __post_init__(self) -> None:
        """Refuse to download what is the user's own."""
        super().__post_init__()
        require(not self.download, f"{self.name} reads your own files; set data.download to false")

    @property
    def slug(self) -> str:
        """The name of the dataset, that of the folder, and digits of its `origin`.

        So no two folders share a name, and a folder has the same one at every run.
        """
        if self.path is None:
            return self.name
        called = file_name(unicodedata.normalize("NFC", self.path.resolve().name))
        digest = self.origin[:DIGITS]
        return "_".join(part for part in (self.name, called[:LONGEST_NAME], digest) if part)

    @property
    def folder(self) -> Path:
        """The folder of the images.

        Raises:
            UserError: The folder is missing, or may not be read.
        """
        require(self.path is not None, f"{self.name} needs data.path: a folder; {self.layout}")
        folder = Path(self.path or "")
        with readable():
            require(folder.is_dir(), f"no folder {folder}; {self.layout}")
        return folder
