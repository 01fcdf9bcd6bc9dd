"""The classification datasets of torchvision, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sakd.data.sources.base import DIGITS
from sakd.data.sources.classes import check_counts
from sakd.data.sources.raw import RawData
from sakd.data.sources.reading import PictureSet, read_raw
from sakd.data.sources.torchvision_classes import TorchvisionClass
from sakd.foundation.errors import require
from sakd.foundation.names import file_name


@dataclass(frozen=True)
class TorchvisionImages(PictureSet):
    """A classification dataset of torchvision: ``torchvision:FashionMNIST``.

    Attributes:
        item: The name of torchvision's class.
        arguments: Other arguments of the class, by name; EMNIST wants ``split``.
        splits: For a class without the argument ``train``, the value of its argument ``split`` for
            train, val and test; None for those called train and test.

    Raises:
        UserError: Torchvision has no such dataset, or it does not take the arguments.
    """

    name: ClassVar[str] = "torchvision"
    sources: ClassVar[tuple[str, ...]] = ("torchvision",)

    item: str = ""
    arguments: Mapping[str, Any] | None = None
    splits: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        """Look the class up."""
        super().__post_init__()
        self._class.check()

    @property
    def slug(self) -> str:
        """The name with its arguments, as a file may be called.

        Where the images are those of any folder it ends in digits of `origin`, so that no two
        folders share a name.
        """
        given = [f"{name}_{value}" for name, value in (self.arguments or {}).items()]
        folder = [self.origin[:DIGITS]] if self._class.of_any_folder and self.path else []
        return file_name("_".join([self.name, self.item, *given, *folder]))

    def check(self) -> None:
        """Check that there is a folder to read, or to download to.

        Raises:
            UserError: The folder is missing.
        """
        folder = self._folder
        remedy = "set data.download to true, or put the files of torchvision there"
        require(self.download or folder.is_dir(), f"no folder {folder}; {remedy}")
        require(not folder.is_file(), f"data.path {folder} is a file; allowed: a folder")

    def files(self) -> list[Path]:
        """All files in the folder; only torchvision knows which of them are read."""
        return sorted(path for path in self._folder.rglob("*") if path.is_file())

    def fetch(self) -> None:
        """Download the images, where that is allowed and the folder is empty.

        Raises:
            UserError: They are missing, or cannot be downloaded.
        """
        super().fetch()
        if self.download and not self.files():
            self._class.open(self._folder, download=True)

    def read(self) -> RawData:
        """Read the images.

        Raises:
            UserError: They are missing or damaged, or the dataset is not one of classification.
        """
        self.check()
        splits, classes = self._class.read(self._folder, download=self.download)
        check_counts({split: part.labels for split, part in splits.items()}, classes)
        source = f"{self._class.name}, {' and '.join(splits)} as torchvision reads them"
        return read_raw(splits, classes, source, self.survey(splits), self.on_error)

    @property
    def _class(self) -> TorchvisionClass:
        return TorchvisionClass(self.item, self.arguments or {}, self.splits or {})

    @property
    def _folder(self) -> Path:
        needed = f"{self._class.name} needs data.path: a folder to read from"
        require(self.path is not None, needed)
        return Path(self.path or "")
