"""The parameters of the data: which images, and how they are split."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator
from torch import Tensor

from sakd.data import (
    Dataset,
    Images,
    Splitting,
    decoders,
    from_tensors,
    open_dataset,
    preparation_key,
)
from sakd.data.sources.base import OnError
from sakd.foundation.errors import require

ClassName = Annotated[str, BeforeValidator(str)]  # YAML has numbers for some


@dataclass(frozen=True)
class DataParameters:
    """Which images, and how they are split.

    Attributes:
        name: In `sakd.data.DATASETS`, ``torchvision:NAME``, or ``package.module:Class``.
        path: The folder of the raw data, where the source is one.
        source: The form in which the dataset is read; each names its own, null for its first.
        download: Whether missing raw data may be fetched.
        options: Those of the dataset, by name: its fields, as ``sakd list datasets`` shows them.
        classes: The order of the classes, by name; empty for that of the dataset.
        on_error: Whether images that cannot be used stop the run, or are skipped.
        streamed: Whether images stay in their files and are decoded whenever they are used, of
            folder and imagenet: for sets that do not fit in memory.
        workers: Processes that decode streamed images; null for one per core.
        duplicates: Whether images that are there twice are dropped or kept; see
            `sakd.data.splits.duplicates`.
        val_fraction: Share of the training images for validation, where the dataset has none.
        test_fraction: Share of all images for test, where the dataset has no test images.
        train_size: Number of training images to keep; null for all.
        set_aside: Share of the training images that are kept from teachers and students, for a
            policy that learns from images which neither knows.
        splits: Whether all seeds of the grid share one split, or each has its own, with its own
            test images and teacher: seed s has ``fold`` s.
        fold: The number of the split, from 0, where test images are taken in turn; null for test
            images that are drawn. See `sakd.data.splits.prepare.Splitting`.
        split_seed: Seed of the splits, and of the choice of labelled images.
        student_per_class: Labelled images per class that students learn from; null for all.

    Raises:
        UserError: A share or a number is out of range.
    """

    name: str = "digits"
    path: Path | None = None
    source: str | None = None
    download: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    classes: tuple[ClassName, ...] = ()
    on_error: OnError = "refuse"
    streamed: bool = False
    workers: int | None = None
    duplicates: Literal["drop", "keep"] = "drop"
    val_fraction: float = 0.1
    test_fraction: float | None = None
    train_size: int | None = None
    set_aside: float = 0.0
    splits: Literal["shared", "per_seed"] = "shared"
    fold: int | None = None
    split_seed: int = 0
    student_per_class: int | None = None

    def __post_init__(self) -> None:
        """Check shares and numbers."""
        for name in ("val_fraction", "test_fraction"):
            share = getattr(self, name)
            fine = share is None or 0 < share < 1
            require(fine, f"{name} must be above 0 and below 1, got {share}")
        fine = self.shared or self.fold is None
        found = f"data.fold is {self.fold}, and data.splits gives every seed its own"
        require(fine, f"{found}: set one of them")
        self.of_seed(0).splitting()  # which checks what is its own
        for name in ("train_size", "student_per_class"):
            size = getattr(self, name)
            require(size is None or size >= 1, f"{name} must be 1 or more, or null, got {size}")
        fine = self.workers is None or self.workers >= 0
        require(fine, f"workers must be 0 or more, or null, got {self.workers}")

    @property
    def shared(self) -> bool:
        """Whether all seeds of the grid share one split."""
        return self.splits == "shared"

    def of_seed(self, seed: int) -> DataParameters:
        """Give the parameters of the split of ``seed``."""
        return self if self.shared else replace(self, splits="shared", fold=seed)

    def images(self, tensors: Mapping[str, Tensor]) -> Images:
        """Make images of prepared tensors; those in files are found in ``path``."""
        return from_tensors(tensors, self.dataset().path, decoders(self.workers))

    def dataset(self) -> Dataset:
        """Make the dataset that is meant.

        Raises:
            UserError: The name, the source or an option is unknown.
        """
        own = sorted({"streamed", "workers"} & set(self.options))
        require(not own, f"data.options.{', '.join(own)}: these are set in data itself")
        return open_dataset(
            self.name,
            self.path,
            self.source,
            download=self.download,
            classes=self.classes,
            on_error=self.on_error,
            streamed=self.streamed or None,
            workers=self.workers,
            **self.options,
        )

    def check(self) -> None:
        """Check, without reading the images, that they are there and can be split.

        Raises:
            UserError: Something is missing, or not as it should be.
        """
        dataset = self.dataset()
        dataset.check()
        self.of_seed(0).splitting().check(has_test=dataset.has_test())

    @property
    def slug(self) -> str:
        """The name of the data in ids and file names."""
        return self.dataset().slug

    @property
    def asked(self) -> str:
        """Hash all of the parameters that prepared data depend on; the raw files are not read."""
        described = hashlib.sha256(self.dataset().description()).hexdigest()
        return preparation_key(described, self.splitting())

    def splitting(self) -> Splitting:
        """Describe how the data is split."""
        return Splitting(
            self.val_fraction,
            self.test_fraction,
            self.train_size,
            self.split_seed,
            self.duplicates,
            self.set_aside,
            self.fold,
        )
