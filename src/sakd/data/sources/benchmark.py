"""Datasets with published numbers: their splits are given, as an archive or as parquet files."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

from sakd.data.pictures.decoding import Survey
from sakd.data.pictures.form import Form
from sakd.data.sources.base import Dataset, Outline
from sakd.data.sources.download import Archive, fetch_archive
from sakd.data.sources.parquet_files import Columns, ParquetFiles, parquet_paths
from sakd.data.sources.raw import RawData
from sakd.data.sources.reading import read_raw
from sakd.data.sources.split_names import SplitNames
from sakd.foundation.errors import UserError, require

StatisticsChoice = Literal["published", "own"]
"""The statistics that the papers normalise by, or those of the training images."""


@dataclass(frozen=True)
class Benchmark(Dataset):
    """Images to train on and to test on, as an archive or as parquet files.

    Attributes:
        statistics: The mean and standard deviation to normalise by; None for the dataset's
            ``standard``.
        title: The name in words.
        unpacked: The folder in the published archive.
        members: The files and folders that must be in it.
        columns: The columns in parquet files.
        split_names: What the parquet files of the splits may be called.
        class_count: The number of classes.
        train_count: The number of images to train on; ``test_count`` of those to test on.
        form: The shape of every image.
        mean: The mean per channel that the papers normalise by; ``std`` likewise.
        standard: The statistics that are used unless others are asked for.

    Raises:
        UserError: Parquet files are to be downloaded.
    """

    title: ClassVar[str]
    unpacked: ClassVar[str]
    members: ClassVar[tuple[str, ...]]
    columns: ClassVar[Columns]
    split_names: ClassVar[SplitNames] = {"train": ("train",), "test": ("test",)}
    class_count: ClassVar[int]
    train_count: ClassVar[int]
    test_count: ClassVar[int]
    form: ClassVar[Form]
    mean: ClassVar[tuple[float, ...]]
    std: ClassVar[tuple[float, ...]]
    standard: ClassVar[StatisticsChoice] = "published"

    statistics: StatisticsChoice | None = None

    def __post_init__(self) -> None:
        """Refuse to download parquet files."""
        super().__post_init__()
        if self.download and self.source == "parquet":
            raise UserError(
                f"{self.name} cannot download parquet files; set download to false and put them in "
                f"path, or choose source {self.sources[0]}"
            )

    @property
    def slug(self) -> str:
        """The name alone: a benchmark is the same in every folder."""
        return self.name

    def outline(self) -> Outline:
        """Give the published size."""
        shape = self.form.channels, self.form.height, self.form.width
        return Outline(self.class_count, shape, self.train_count, self.test_count)

    @property
    @abstractmethod
    def archive(self) -> Archive:
        """The published file, and where it is."""

    @abstractmethod
    def read_archive(self) -> RawData:
        """Read the unpacked archive.

        Raises:
            UserError: It is not as published.
        """

    def check(self) -> None:
        """Check that the files are there and of the right form, without reading the images.

        Raises:
            UserError: A file is missing or of another form; says how to get it.
        """
        if self.source == "parquet":
            self._parquet_files()
            return
        folder = self.folder
        is_file = folder.exists() and not folder.is_dir()
        require(not is_file, f"{self.name} path {folder} is a file; allowed: a folder")
        if not self.download and not self._is_unpacked():
            require((folder / self.archive.name).is_file(), self._missing())

    def files(self) -> list[Path]:
        """The parquet files, or those of the unpacked archive."""
        if self.source == "parquet":
            return [path for each in self._parquet_files().values() for path in each.paths]
        return [self.place / member for member in self.members]

    def fetch(self) -> None:
        """Download and unpack the archive, where that is needed and allowed.

        Raises:
            UserError: The data is missing, or cannot be downloaded.
        """
        super().fetch()
        if self.source != "parquet" and not self._is_unpacked():
            fetch_archive(self.archive, self.folder, self.unpacked, download=self.download)

    def read(self) -> RawData:
        """Read all images.

        Raises:
            UserError: The data is missing or damaged, or cannot be downloaded.
        """
        self.fetch()
        raw = self._from_parquet() if self.source == "parquet" else self.read_archive()
        own = (self.statistics or self.standard) == "own"
        mean, std = (None, None) if own else (self.mean, self.std)
        return replace(raw, mean=mean, std=std)

    @property
    def folder(self) -> Path:
        """The folder that holds the data, or shall.

        Raises:
            UserError: No path is given.
        """
        needed = f"{self.name} needs a path: the folder that holds (or shall hold) the data"
        require(self.path is not None, needed)
        return Path(self.path or "")

    @property
    def place(self) -> Path:
        """The unpacked archive."""
        return self.folder / self.unpacked

    def remedy(self) -> str:
        """Say what to do if the archive is missing."""
        archive = self.archive
        by_hand = f"put {archive.name} (from {archive.url}, md5 {archive.md5}) into {self.folder}"
        return f"set download to true, or {by_hand}, or choose source parquet"

    def _missing(self) -> str:
        return f"no intact {self.title} in {self.place}; {self.remedy()}"

    def _is_unpacked(self) -> bool:
        return all((self.place / member).exists() for member in self.members)

    def _parquet_files(self) -> dict[str, ParquetFiles]:
        folder = self.folder
        test = self.split_names["test"][0]
        layout = f"allowed: one with train-*.parquet and {test}-*.parquet"
        require(folder.is_dir(), f"no folder {folder}; {layout}")
        paths = parquet_paths(folder, self.split_names)
        files = {}
        for split, names in self.split_names.items():
            remedy = f"put the parquet files of {self.title} there"
            require(split in paths, f"no {names[0]}-*.parquet in {folder}; {remedy}")
            files[split] = ParquetFiles(paths[split], self.columns)
            files[split].check()
        return files

    def _from_parquet(self) -> RawData:
        files = self._parquet_files()
        names = files["train"].class_names() or tuple(map(str, range(self.class_count)))
        if len(names) != self.class_count:
            found = f"{files['train'].paths[0]} names {len(names)} classes"
            raise UserError(f"{found}; {self.title} has {self.class_count}")
        splits = {split: each.read(self.class_count) for split, each in files.items()}
        paths = ", ".join(path.name for each in files.values() for path in each.paths)
        source = f"{self.title}, parquet files {paths}"
        return read_raw(splits, names, source, Survey(self.form), self.on_error)
