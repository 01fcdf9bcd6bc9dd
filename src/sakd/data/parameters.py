"""The parameters of the data: which images, and how they are split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import Tensor

from sakd.data import Dataset, Images, Splitting, decoders, from_tensors, open_dataset
from sakd.foundation.errors import require


@dataclass(frozen=True)
class DataParameters:
    """Which images, and how they are split.

    Attributes:
        name: in `sakd.data.DATASETS`, or ``torchvision:NAME``.
        path: the folder of the raw data, where the source is one.
        source: in which form the dataset is read; each names its own, null for its first.
        download: whether missing raw data may be fetched.
        size: side of the squares that images are resized to, in pixels; null for the rule of
            `sakd.data.pictures.conversion.common_form`, 224 where they are streamed. Only for
            folder, imagenet, parquet and torchvision.
        streamed: whether images stay in their files and are decoded whenever they are used, of
            folder and imagenet: for what does not fit in memory.
        workers: processes that decode streamed images; null for one per core.
        image_column: of parquet files; null where only one can be meant.
        label_column: of parquet files; null where only one can be meant.
        statistics: mean and standard deviation to normalise by, of benchmarks: the published ones,
            or those of the training images; null for what the dataset takes by itself.
        duplicates: drop images that are there twice, or keep them; see
            `sakd.data.splits.duplicates`.
        val_fraction: share of the training images for validation, where the dataset has none.
        test_fraction: share of all images for test, where the dataset has no test images.
        train_size: keep only that many training images; null for all.
        split_seed: of the splits, and of the choice of labelled images.
        student_per_class: labelled images per class that students learn from; null for all.
    """

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    name: str = "digits"
    path: Path | None = None
    source: str | None = None
    download: bool = False
    size: int | None = None
    streamed: bool = False
    workers: int | None = None
    image_column: str | None = None
    label_column: str | None = None
    statistics: Literal["published", "own"] | None = None
    duplicates: Literal["drop", "keep"] = "drop"
    val_fraction: float = 0.1
    test_fraction: float | None = None
    train_size: int | None = None
    split_seed: int = 0
    student_per_class: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no dataset can be split by."""
        for name in ("val_fraction", "test_fraction"):
            share = getattr(self, name)
            fine = share is None or 0 < share < 1
            require(fine, f"{name} must be above 0 and below 1, got {share}")
        for name in ("train_size", "student_per_class"):
            size = getattr(self, name)
            require(size is None or size >= 1, f"{name} must be 1 or more, or null, got {size}")
        fine = self.workers is None or self.workers >= 0
        require(fine, f"workers must be 0 or more, or null, got {self.workers}")

    def images(self, tensors: Mapping[str, Tensor]) -> Images:
        """Prepared tensors as images; those in files are found in ``path``."""
        return from_tensors(tensors, self.dataset().path, decoders(self.workers))

    def dataset(self) -> Dataset:
        """The dataset that is meant.

        Raises:
            UserError: there is none of that name and source.
        """
        return open_dataset(
            self.name,
            self.path,
            self.source,
            download=self.download,
            size=self.size,
            streamed=self.streamed or None,
            workers=self.workers,
            image_column=self.image_column,
            label_column=self.label_column,
            statistics=self.statistics,
        )

    def check(self) -> None:
        """See, without reading the images, that they are there and can be split.

        Raises:
            UserError: something is missing, or not as it should be.
        """
        dataset = self.dataset()
        dataset.check()
        self.splitting().check(has_test=dataset.has_test())

    @property
    def slug(self) -> str:
        """What the data is called in ids and file names."""
        return self.dataset().slug

    def splitting(self) -> Splitting:
        """How it is split."""
        return Splitting(
            self.val_fraction,
            self.test_fraction,
            self.train_size,
            self.split_seed,
            self.duplicates,
        )
