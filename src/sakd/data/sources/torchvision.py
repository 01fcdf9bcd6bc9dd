"""The classification datasets of torchvision, by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sakd.data.pictures.conversion import require_size
from sakd.data.sources.base import Dataset, RawData
from sakd.data.sources.reading import check_classes
from sakd.data.sources.torchvision_classes import (
    PREFIX,
    open_torchvision,
    read_torchvision,
    torchvision_call,
)
from sakd.foundation.errors import require
from sakd.foundation.names import file_name


@dataclass(frozen=True)
class TorchvisionImages(Dataset):
    """A classification dataset of torchvision: ``torchvision:FashionMNIST``.

    Train, val and test are those that torchvision has.

    Attributes:
        size: Side of the squares that the images become, in pixels; None for the default rule of
            `sakd.data.pictures.conversion.common_form`.
        item: The name of torchvision's class, and arguments for it: ``EMNIST(split='balanced')``.

    Raises:
        UserError: Torchvision has no such dataset, it does not take the arguments, or ``size`` is
            absurd.
    """

    name: ClassVar[str] = "torchvision"
    sources: ClassVar[tuple[str, ...]] = ("torchvision",)

    size: int | None = None
    item: str = ""

    def __post_init__(self) -> None:
        """Look the class up, and refuse absurd sizes."""
        super().__post_init__()
        require_size(self.size)
        torchvision_call(self.item)

    @property
    def slug(self) -> str:
        """The name, as a file may be called."""
        return file_name(f"{self.name}_{self.item}")

    def check(self) -> None:
        """See that there is a folder to read, or to download to.

        Raises:
            UserError: There is none.
        """
        folder = self._folder
        remedy = "set data.download to true, or put the files of torchvision there"
        require(self.download or folder.is_dir(), f"no folder {folder}; {remedy}")
        require(not folder.is_file(), f"data.path {folder} is a file; allowed: a folder")

    def files(self) -> list[Path]:
        """All files in the folder: which of them are read, only torchvision knows."""
        return sorted(path for path in self._folder.rglob("*") if path.is_file())

    def fetch(self) -> None:
        """Download the images, where that is allowed and the folder is empty.

        Raises:
            UserError: They are missing, or cannot be downloaded.
        """
        super().fetch()
        if self.download and not self.files():
            open_torchvision(self.item, self._folder, download=True)

    def load(self) -> RawData:
        """Read the images.

        Raises:
            UserError: They are missing or damaged, or the dataset is not one of classification.
        """
        self.check()
        raw = read_torchvision(self.item, self._folder, download=self.download, size=self.size)
        parts = {"train": raw.train, "val": raw.val, "test": raw.test}
        labels = {s: images.labels.tolist() for s, images in parts.items() if images is not None}
        check_classes(labels, raw.classes)
        return raw

    @property
    def _folder(self) -> Path:
        require(
            self.path is not None, f"{PREFIX}{self.item} needs data.path: a folder to read from"
        )
        return Path(self.path or "")
