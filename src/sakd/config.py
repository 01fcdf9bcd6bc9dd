"""The parameters of a run, typed and checked once, at the door."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from sakd.data import Dataset, Images, Splitting, decoders, from_tensors, open_dataset
from sakd.errors import UserError, require
from sakd.grid import Grid
from sakd.networks import check_network
from sakd.networks.statistics import Statistics
from sakd.objectives.build import Distillation, Routing
from sakd.runner import Training


@dataclass(frozen=True)
class DataSettings:
    """Which images, and how they are split.

    Attributes:
        name: in `sakd.data.DATASETS`, or ``torchvision:NAME``.
        path: the folder of the raw data, where the source is one.
        source: in which form the dataset is read; each names its own, null for its first.
        download: whether missing raw data may be fetched.
        size: side of the squares that images are resized to, in pixels; null for the rule of
            `sakd.data.conversion.common_form`, 224 where they are streamed. Only for folder,
            imagenet, parquet and torchvision.
        streamed: whether images stay in their files and are decoded whenever they are used, of
            folder and imagenet: for what does not fit in memory.
        workers: processes that decode streamed images; null for one per core.
        image_column: of parquet files; null where only one can be meant.
        label_column: of parquet files; null where only one can be meant.
        statistics: mean and standard deviation to normalise by, of benchmarks: the published ones,
            or those of the training images; null for what the dataset takes by itself.
        duplicates: drop images that are there twice, or keep them, see `sakd.data.duplicates`.
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
    def label(self) -> str:
        """What the data is called in ids and file names."""
        return self.dataset().label

    def splitting(self) -> Splitting:
        """How it is split."""
        return Splitting(
            self.val_fraction,
            self.test_fraction,
            self.train_size,
            self.split_seed,
            self.duplicates,
        )


@dataclass(frozen=True)
class Settings:
    """All parameters of a run, as in ``conf/base/parameters.yml``.

    Attributes:
        teacher_weights: files of teachers, by network, that need no training here.
        teacher_renames: prefixes of the names in these files, and what to put in their place.
        teacher_statistics: mean and std by which such a teacher was trained, where not the data's.
        student_lr: learning rates of students, by network, where not ``student.optimisation.lr``.
    """

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int | None = None
    data: DataSettings = field(default_factory=DataSettings)
    grid: Grid = field(default_factory=Grid)
    teacher: Training = field(default_factory=Training)
    teacher_seed: int = 0
    teacher_weights: Mapping[str, Path] = field(default_factory=dict)
    teacher_renames: Mapping[str, str] = field(default_factory=dict)
    teacher_statistics: Mapping[str, Statistics] = field(default_factory=dict)
    student: Training = field(default_factory=Training)
    student_lr: Mapping[str, float] = field(default_factory=dict)
    distillation: Distillation = field(default_factory=Distillation)
    routing: Routing = field(default_factory=Routing)

    def __post_init__(self) -> None:
        """Refuse a number of threads that is none."""
        fine = self.threads is None or self.threads >= 1
        require(fine, f"threads must be 1 or more, or null, got {self.threads}")
        for name, lr in self.student_lr.items():
            require(lr > 0, f"student_lr of {name} must be above 0, got {lr}")

    def student_training(self, network: str) -> Training:
        """How the student called ``network`` is trained: at its own learning rate, if any."""
        lr = self.student_lr.get(network, self.student.optimisation.lr)
        return replace(self.student, optimisation=replace(self.student.optimisation, lr=lr))

    def check(self) -> None:
        """Look every name up.

        Raises:
            UserError: one is unknown, or an axis of the grid is wrong.
        """
        self.grid.check()
        self.data.dataset()
        self.distillation.check()
        for method in self.grid.distillers:
            self.distillation.weights_with(method)
        self.routing.check()
        for training in (self.teacher, self.student):
            training.augment.check(streamed=self.data.streamed)
        for name in self.student_lr:
            check_network(name)
        of_weights = ("teacher_weights", self.grid.teachers())
        of_statistics = ("teacher_statistics", tuple(self.teacher_weights))
        for parameter, known in (of_weights, of_statistics):
            for name in getattr(self, parameter):
                listed = ", ".join(known) or "none"
                require(name in known, f"{parameter} names {name!r}, which is none of: {listed}")

    def check_teachers(self) -> None:
        """See that the files of the teachers are there.

        Raises:
            UserError: one is not.
        """
        for name, path in self.teacher_weights.items():
            require(path.is_file(), f"teacher_weights: there is no file {path} for {name}")


def parse_settings(parameters: Mapping[str, Any]) -> Settings:
    """Type and check raw parameters.

    On the command line a list is written ``a+b``.

    Raises:
        UserError: an unknown key, a wrong value, an unknown name.
    """
    try:
        settings = TypeAdapter(Settings).validate_python(_expand(parameters, Settings))
    except ValidationError as error:
        raise UserError("; ".join(_explain(detail) for detail in error.errors())) from error
    settings.check()
    return settings


def _expand(value: object, kind: object) -> object:
    """Split the lists of the command line, where the type asks for one."""
    if is_dataclass(kind) and isinstance(value, Mapping):
        kinds = get_type_hints(kind)
        return {name: _expand(item, kinds.get(name)) for name, item in value.items()}
    if getattr(kind, "__origin__", None) is tuple and isinstance(value, str | int | float):
        return str(value).split("+")
    return value


def _explain(detail: Mapping[str, Any]) -> str:
    """One pydantic error in the project's words."""
    place = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "unexpected_keyword_argument":
        *parents, key = detail["loc"]
        known = _keys(tuple(str(part) for part in parents))
        near = difflib.get_close_matches(str(key), known, n=3)
        hint = f"did you mean {', '.join(map(repr, near))}? " if near else ""
        return f"unknown parameter {place!r}; {hint}known: {', '.join(known)}"
    if detail["type"] == "value_error":
        where = f"parameter {place!r}: " if place else ""
        return f"{where}{detail['ctx']['error']}"
    if detail["type"] == "path_type" and isinstance(detail["input"], int | float):
        return (
            f"parameter {place!r} is a number, {detail['input']}; for a folder write ./ before it"
        )
    return f"parameter {place!r}: {detail['msg']}, got {detail['input']!r}"


def _keys(parents: tuple[str, ...]) -> list[str]:
    kind: type = Settings
    for parent in parents:  # a field, or a name of one's own in a mapping
        kind = get_type_hints(kind)[parent] if is_dataclass(kind) else get_args(kind)[-1]
    return [item.name for item in fields(kind)]
