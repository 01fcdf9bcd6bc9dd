"""CIFAR-10 and CIFAR-100, the dataset of the paper, from either of their two common forms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from sakd.data.conversion import Form
from sakd.data.dataset import Dataset, RawData
from sakd.data.parquet import Columns, ParquetFiles, parquet_paths
from sakd.data.reading import read_raw
from sakd.data.torchvision_sets import open_torchvision, read_torchvision
from sakd.errors import UserError, require

FORM = Form(channels=3, height=32, width=32)


class Cifar(Dataset):
    """What CIFAR-10 and CIFAR-100 have in common: 50,000 images to train on, 10,000 to test.

    Attributes:
        title: The name in words.
        item: The name of torchvision's class, which reads the published archive.
        unpacked: The folder in the published archive, and ``members`` the files in it.
        columns: The columns in parquet files.
        classes: How many there are.
        mean: What the papers normalise by, and ``std`` likewise.
    """

    sources: ClassVar[tuple[str, ...]] = ("torchvision", "parquet")
    title: ClassVar[str]
    item: ClassVar[str]
    unpacked: ClassVar[str]
    members: ClassVar[tuple[str, ...]]
    columns: ClassVar[Columns]
    classes: ClassVar[int]
    mean: ClassVar[tuple[float, ...]]
    std: ClassVar[tuple[float, ...]]

    def __post_init__(self) -> None:
        """Refuse to download what cannot be."""
        super().__post_init__()
        if self.download and self.source == "parquet":
            raise UserError(
                f"{self.name} cannot download parquet files; set download to false and put them in "
                "path, or choose source torchvision"
            )

    def check(self) -> None:
        """See that the files are there and of the right form, without reading the images.

        Raises:
            UserError: A file is missing or of another form; says how to get it.
        """
        if self.source == "parquet":
            self._parquet_files()
        elif not self.download and not self._is_unpacked():
            raise UserError(self._missing())
        elif self._folder.exists() and not self._folder.is_dir():
            raise UserError(f"{self.name} path {self._folder} is a file; allowed: a folder")

    def files(self) -> list[Path]:
        """The parquet files, or those of the unpacked archive."""
        if self.source == "parquet":
            return [path for each in self._parquet_files().values() for path in each.paths]
        return [self._folder / self.unpacked / member for member in self.members]

    def fetch(self) -> None:
        """Download and unpack the archive, where that is allowed and not done.

        Raises:
            UserError: The data is missing, or cannot be downloaded.
        """
        super().fetch()
        if self.source == "torchvision" and not self._is_unpacked():
            with self._explained():
                open_torchvision(self.item, self._folder, download=True)

    def load(self) -> RawData:
        """Read the 60,000 images.

        Raises:
            UserError: The data is missing or damaged, or cannot be downloaded.
        """
        self.fetch()
        raw = self._from_parquet() if self.source == "parquet" else self._from_torchvision()
        return replace(raw, mean=self.mean, std=self.std, benchmark=True)

    @property
    def _folder(self) -> Path:
        needed = f"{self.name} needs a path: the folder that holds (or shall hold) the data"
        require(self.path is not None, needed)
        return Path(self.path or "").expanduser()

    def _is_unpacked(self) -> bool:
        unpacked = self._folder / self.unpacked
        return all((unpacked / member).is_file() for member in self.members)

    def _missing(self) -> str:
        return (
            f"no intact {self.title} in {self._folder / self.unpacked}; set download to true, or "
            "unpack the python version of the published archive there, or choose source parquet"
        )

    def _parquet_files(self) -> dict[str, ParquetFiles]:
        folder = self._folder
        layout = "allowed: one with train-*.parquet and test-*.parquet"
        require(folder.is_dir(), f"no folder {folder}; {layout}")
        files = {}
        for split in ("train", "test"):
            paths = parquet_paths(folder, [split])
            remedy = f"put the parquet files of {self.title} there"
            require(bool(paths), f"no {split}-*.parquet in {folder}; {remedy}")
            files[split] = ParquetFiles(paths, self.columns)
            files[split].check()
        return files

    def _from_parquet(self) -> RawData:
        files = self._parquet_files()
        names = files["train"].class_names() or tuple(map(str, range(self.classes)))
        if len(names) != self.classes:
            found = f"{files['train'].paths[0]} names {len(names)} classes"
            raise UserError(f"{found}; {self.title} has {self.classes}")
        splits = {split: each.read(self.classes) for split, each in files.items()}
        paths = ", ".join(path.name for each in files.values() for path in each.paths)
        return read_raw(splits, names, f"{self.title}, parquet files {paths}", form=FORM)

    def _from_torchvision(self) -> RawData:
        with self._explained():  # it unpickles, but only what has the published checksum
            raw = read_torchvision(self.item, self._folder, download=self.download, form=FORM)
        return replace(raw, source=f"{self.title}, python version, as published")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except UserError as error:
            if not self.download:
                raise UserError(self._missing()) from error
            raise UserError(
                f"{error}, or unpack the published archive there yourself and set download to false"
            ) from error


class Cifar10(Cifar):
    """10 classes of 32 x 32 colour images: 50,000 for training, 10,000 for testing.

    Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.

    Sources:
        torchvision: ``path`` holds ``cifar-10-batches-py`` as unpacked from the published archive;
            with ``download`` it is fetched when it is not there.
        parquet: ``path`` holds Hugging Face style ``train-*.parquet`` and ``test-*.parquet``
            with the columns img {bytes, path} and label.
    """

    name: ClassVar[str] = "cifar10"
    title: ClassVar[str] = "CIFAR-10"
    item: ClassVar[str] = "CIFAR10"
    unpacked: ClassVar[str] = "cifar-10-batches-py"
    members: ClassVar[tuple[str, ...]] = (
        *(f"data_batch_{number}" for number in range(1, 6)),
        *("test_batch", "batches.meta"),
    )
    columns: ClassVar[Columns] = Columns("img", "label")
    classes: ClassVar[int] = 10
    mean: ClassVar[tuple[float, ...]] = (0.4914, 0.4822, 0.4465)
    std: ClassVar[tuple[float, ...]] = (0.2470, 0.2435, 0.2616)


class Cifar100(Cifar):
    """100 classes of 32 x 32 colour images: 50,000 for training, 10,000 for testing.

    Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009. The statistics are
    those that the distillation papers normalise by, SAKD's among them.

    Sources:
        torchvision: ``path`` holds ``cifar-100-python`` as unpacked from the published archive;
            with ``download`` it is fetched when it is not there.
        parquet: ``path`` holds Hugging Face style ``train-*.parquet`` and ``test-*.parquet``
            with the columns img {bytes, path} and fine_label.
    """

    name: ClassVar[str] = "cifar100"
    title: ClassVar[str] = "CIFAR-100"
    item: ClassVar[str] = "CIFAR100"
    unpacked: ClassVar[str] = "cifar-100-python"
    members: ClassVar[tuple[str, ...]] = ("train", "test", "meta")
    columns: ClassVar[Columns] = Columns("img", "fine_label")
    classes: ClassVar[int] = 100
    mean: ClassVar[tuple[float, ...]] = (0.5071, 0.4867, 0.4408)
    std: ClassVar[tuple[float, ...]] = (0.2675, 0.2565, 0.2761)
