"""What all datasets of the user's own images have in common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sakd.data.dataset import Dataset
from sakd.errors import require

SplitNames = Mapping[str, tuple[str, ...]]
"""What folders and files of the splits may be called."""

SPLIT_NAMES: SplitNames = {
    "train": ("train",),
    "val": ("val", "valid", "validation"),
    "test": ("test",),
}


@dataclass(frozen=True)
class OwnImages(Dataset):
    """Images that lie in a folder of the user's.

    Attributes:
        size: Side of the squares that the images become, in pixels; None for the default rule of
            `sakd.data.conversion.common_form`.

    Raises:
        UserError: They are to be downloaded.
    """

    sources: ClassVar[tuple[str, ...]] = ("files",)
    layout: ClassVar[str]
    """What the folder must look like, for messages."""

    size: int | None = None

    def __post_init__(self) -> None:
        """Refuse to download what is the user's own."""
        super().__post_init__()
        require(not self.download, f"{self.name} reads your own files; set data.download to false")

    @property
    def label(self) -> str:
        """The name of the dataset and that of the folder, so that two sets stay apart."""
        path = self.path.expanduser().resolve() if self.path else Path()
        called = re.sub(r"\W+", "_", path.name, flags=re.ASCII).strip("_")
        return f"{self.name}_{called}" if called else self.name

    @property
    def folder(self) -> Path:
        """The folder of the images.

        Raises:
            UserError: There is none.
        """
        require(self.path is not None, f"{self.name} needs data.path: a folder; {self.layout}")
        folder = Path(self.path or "").expanduser()
        require(folder.is_dir(), f"no folder {folder}; {self.layout}")
        return folder
