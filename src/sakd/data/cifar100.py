"""CIFAR-100, the dataset of the paper, from either of its two common forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import torch

from sakd.data.dataset import Dataset, RawData
from sakd.data.images import ImageSet
from sakd.data.parquet import class_names, parquet_files, read_split
from sakd.errors import UserError

CLASSES = 100
SIDE = 32  # pixels
UNPACKED = ("train", "test", "meta")
# The statistics that the distillation papers normalise by, SAKD's among them.
MEAN = (0.5071, 0.4867, 0.4408)
STD = (0.2675, 0.2565, 0.2761)


class Cifar100(Dataset):
    """100 classes of 32 x 32 colour images: 50,000 for training, 10,000 for testing.

    Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.

    Sources:
        torchvision: ``path`` holds ``cifar-100-python`` as unpacked from the published archive;
            with ``download`` it is fetched when it is not there.
        parquet: ``path`` holds Hugging Face style ``train-*.parquet`` and ``test-*.parquet``
            with the columns img {bytes, path} and fine_label.
    """

    name: ClassVar[str] = "cifar100"
    sources: ClassVar[tuple[str, ...]] = ("torchvision", "parquet")

    def __post_init__(self) -> None:
        """Refuse to download what cannot be."""
        super().__post_init__()
        if self.download and self.source == "parquet":
            raise UserError(
                "cifar100 cannot download parquet files; set download to false and put them in "
                "path, or choose source torchvision"
            )

    def check(self) -> None:
        """See that the files are there and of the right form, without reading the images.

        Raises:
            UserError: A file is missing or of another form; says how to get it.
        """
        if self.source == "parquet":
            parquet_files(self._folder, "train")
            parquet_files(self._folder, "test")
        elif not self.download and not self._is_unpacked():
            raise UserError(self._missing())
        elif self._folder.exists() and not self._folder.is_dir():
            raise UserError(f"cifar100 path {self._folder} is a file; allowed: a folder")

    def files(self) -> list[Path]:
        """The parquet files, or those of the unpacked archive."""
        if self.source == "parquet":
            return [p for part in ("train", "test") for p in parquet_files(self._folder, part)]
        return [self._folder / "cifar-100-python" / file for file in UNPACKED]

    def fetch(self) -> None:
        """Download and unpack the archive, where that is allowed and not done.

        Raises:
            UserError: The data is missing, or cannot be downloaded.
        """
        super().fetch()
        if self.source == "torchvision" and not self._is_unpacked():
            self._open(train=True, download=True)

    def load(self) -> RawData:
        """Read the 60,000 images.

        Raises:
            UserError: The data is missing or damaged, or cannot be downloaded.
        """
        self.fetch()
        return self._from_parquet() if self.source == "parquet" else self._from_torchvision()

    @property
    def _folder(self) -> Path:
        if self.path is None:
            raise UserError("cifar100 needs a path: the folder that holds (or shall hold) the data")
        return Path(self.path).expanduser()

    def _is_unpacked(self) -> bool:
        unpacked = self._folder / "cifar-100-python"
        return all((unpacked / file).is_file() for file in UNPACKED)

    def _missing(self) -> str:
        return (
            f"no intact CIFAR-100 in {self._folder / 'cifar-100-python'}; set download to true, or "
            "unpack cifar-100-python.tar.gz there, or choose source parquet"
        )

    def _from_parquet(self) -> RawData:
        train, test = (parquet_files(self._folder, split) for split in ("train", "test"))
        classes = class_names(train[0]) or tuple(str(label) for label in range(CLASSES))
        if len(classes) != CLASSES:
            raise UserError(f"{train[0]} names {len(classes)} classes; CIFAR-100 has {CLASSES}")
        return RawData(
            train=read_split(train, side=SIDE, classes=CLASSES),
            test=read_split(test, side=SIDE, classes=CLASSES),
            classes=classes,
            source=f"CIFAR-100, parquet files {', '.join(file.name for file in train + test)}",
            mean=MEAN,
            std=STD,
        )

    def _from_torchvision(self) -> RawData:
        train, test = (self._open(train=part, download=self.download) for part in (True, False))
        return RawData(
            train=_image_set(train),
            test=_image_set(test),
            classes=tuple(train.classes),
            source="CIFAR-100, python version, as published",
            mean=MEAN,
            std=STD,
        )

    def _open(self, *, train: bool, download: bool) -> Any:  # noqa: ANN401 - torchvision has no types
        # Seconds to import and used here alone. It unpickles, but only files whose published
        # checksum it has verified.
        from torchvision.datasets import CIFAR100  # noqa: PLC0415

        try:
            return CIFAR100(self._folder, train=train, download=download)
        except (OSError, RuntimeError, EOFError) as error:
            if not download:
                raise UserError(self._missing()) from error
            raise UserError(
                f"CIFAR-100 could not be downloaded to {self._folder} ({error}); try again, or "
                "unpack cifar-100-python.tar.gz there yourself and set download to false"
            ) from error


def _image_set(dataset: Any) -> ImageSet:  # noqa: ANN401 - torchvision has no types
    images = torch.from_numpy(dataset.data).permute(0, 3, 1, 2).contiguous()
    return ImageSet(images, torch.tensor(dataset.targets, dtype=torch.int64))
