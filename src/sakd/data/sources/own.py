"""What all datasets of the user's own images have in common."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sakd.data.pictures.conversion import require_size
from sakd.data.sources.base import Dataset, refusals_told
from sakd.foundation.errors import require
from sakd.foundation.names import file_name

SplitNames = Mapping[str, tuple[str, ...]]
"""What folders and files of the splits may be called."""

SPLIT_NAMES: SplitNames = {
    "train": ("train",),
    "val": ("val", "valid", "validation"),
    "test": ("test",),
}


# What is no text (names that are not UTF-8), or would break a line of a message or of a table.
UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
LONGEST_NAME = 64  # letters of a folder that are part of file names
DIGEST = 6  # digits of `Dataset.origin` that are part of file names


@dataclass(frozen=True)
class OwnImages(Dataset):
    """Images that lie in a folder of the user's.

    Attributes:
        size: Side of the squares that the images become, in pixels; None for the default rule of
            `sakd.data.pictures.conversion.common_form`.

    Raises:
        UserError: They are to be downloaded, or ``size`` is absurd.
    """

    sources: ClassVar[tuple[str, ...]] = ("files",)
    layout: ClassVar[str]
    """What the folder must look like, for messages."""

    size: int | None = None

    def __post_init__(self) -> None:
        """Refuse to download what is the user's own, and absurd sizes."""
        super().__post_init__()
        require_size(self.size)
        require(not self.download, f"{self.name} reads your own files; set data.download to false")

    @property
    def slug(self) -> str:
        """The name of the dataset, that of the folder, and digits of its `origin`.

        So no two folders share a name, and a folder has the same one at every run.
        """
        if self.path is None:
            return self.name
        called = file_name(unicodedata.normalize("NFC", self.path.resolve().name))
        digest = self.origin[:DIGEST]
        return "_".join(part for part in (self.name, called[:LONGEST_NAME], digest) if part)

    @property
    def folder(self) -> Path:
        """The folder of the images.

        Raises:
            UserError: There is none, or it may not be looked at.
        """
        require(self.path is not None, f"{self.name} needs data.path: a folder; {self.layout}")
        folder = Path(self.path or "")
        with refusals_told():
            require(folder.is_dir(), f"no folder {folder}; {self.layout}")
        return folder
