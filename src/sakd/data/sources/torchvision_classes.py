"""Torchvision's own dataset classes: looked up, called and read."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sakd.data.sources.classes import SPLITS, check_names
from sakd.data.sources.reading import Labelled
from sakd.data.sources.torchvision_items import Items, classes_of, labels_of, open_picture
from sakd.foundation.errors import UserError, require
from sakd.foundation.names import listed, unknown

PREFIX = "torchvision:"
NO_ARGUMENTS = frozenset({"args", "kwargs", "root", "train", "download"})
FUNCTIONS = frozenset({"transform", "target_transform", "transforms", "loader", "is_valid_file"})
FOLDERS = frozenset({"DatasetFolder", "ImageFolder"})
"""Classes that stand for no published images, but for those of any folder."""
USUAL = {"train": "train", "test": "test"}
"""The values of ``split``, of classes that have this argument, unless others are given."""


def torchvision_class(item: str) -> type[Any]:
    """Look up the dataset of torchvision that is called ``item``.

    Raises:
        UserError: Torchvision has no such dataset.
    """
    from torchvision import datasets  # noqa: PLC0415 - seconds to import

    found = {name: getattr(datasets, name) for name in datasets.__all__}
    kinds = {name: kind for name, kind in found.items() if isinstance(kind, type)}
    if item in kinds:
        return kinds[item]
    remedy = "; its arguments are given as data.options.arguments" if "(" in item else ""
    raise UserError(unknown("dataset", item, kinds, within=PREFIX) + remedy)


@dataclass(frozen=True)
class TorchvisionClass:
    """A dataset class of torchvision, and how its splits are asked for.

    Attributes:
        item: The name of the class.
        arguments: Other arguments, by name.
        splits: For each of train, val and test, if it is there, the value of the class's argument
            ``split``; only for a class that has this argument and none called ``train``.
    """

    item: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    splits: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the dataset, for messages."""
        return f"{PREFIX}{self.item}"

    @property
    def of_any_folder(self) -> bool:
        """Whether its images are those of any folder, and not a published set."""
        return self.item in FOLDERS

    def check(self) -> None:
        """Check that there is such a class, and that it takes the arguments.

        Raises:
            UserError: The class or an argument is unknown.
        """
        takes = _parameters(torchvision_class(self.item))
        by_split = "split" in takes and "train" not in takes
        allowed = takes - NO_ARGUMENTS - FUNCTIONS - ({"split"} if by_split else set())
        strange = sorted(set(self.arguments) - allowed)
        found = f"{self.name} cannot be given {listed(strange)} (data.options.arguments)"
        require(not strange, f"{found}; allowed: {listed(sorted(allowed)) or 'none'}")
        if self.splits:
            require(by_split, f"{self.name} has no argument split; leave data.options.splits out")
            fine = "train" in self.splits and set(self.splits) <= set(SPLITS)
            found = f"data.options.splits names {listed(self.splits)}"
            require(fine, f"{found}; allowed: train, and val and test where they are there")

    def open(self, folder: Path, *, download: bool) -> dict[str, Any]:
        """Make torchvision's object of each split; arguments as for `read`.

        Raises:
            UserError: Files are missing or damaged, or cannot be downloaded.
        """
        self.check()
        with self._failures(folder, download=download):
            return {
                split: self._make(folder, download, given)
                for split, given in self._of_splits().items()
            }

    def read(self, folder: Path, *, download: bool) -> tuple[dict[str, Labelled], tuple[str, ...]]:
        """Read the images of each split, not decoded yet, and the names of the classes.

        Args:
            folder: Where the files are, or shall be.
            download: Whether they may be fetched.

        Raises:
            UserError: They are missing or damaged, or the dataset is not one of classification.
        """
        parts = self.open(folder, download=download)
        with self._failures(folder, download=download):
            labels = {split: labels_of(items, self.name) for split, items in parts.items()}
        classes = classes_of(parts["train"], labels["train"])
        check_names(classes, self.name)
        splits = {
            split: Labelled(Items(items, f"{self.name}, {split}"), labels[split])
            for split, items in parts.items()
        }
        return splits, classes

    def _of_splits(self) -> dict[str, dict[str, object]]:
        takes = _parameters(torchvision_class(self.item))
        if "train" in takes:
            return {"train": {"train": True}, "test": {"train": False}}
        if "split" in takes:
            return {split: {"split": value} for split, value in (self.splits or USUAL).items()}
        return {"train": {}}

    def _make(self, folder: Path, download: bool, of_split: Mapping[str, object]) -> Any:  # noqa: ANN401
        kind = torchvision_class(self.item)
        takes = _parameters(kind)
        given: dict[str, object] = {**self.arguments, **of_split}
        if "root" in takes:
            given["root"] = folder
        if "loader" in takes:
            given["loader"] = open_picture  # torchvision's own loses bits and transparency
        if "download" in takes:
            given["download"] = download  # of some it is true unless given
        else:
            message = f"torchvision does not download {self.item}; set data.download to false"
            require(not download, f"{message}, and put its files into {folder}")
        return kind(**given)

    @contextmanager
    def _failures(self, folder: Path, *, download: bool) -> Iterator[None]:
        try:
            yield
        except UserError:
            raise
        except Exception as error:  # wrong files fail in as many ways as there are classes
            reason = re.split(r"\. (?!Valid)|\n", str(error))[0].rstrip(".") or type(error).__name__
            done = "downloaded to" if download else "read from"
            found = f"{self.name} could not be {done} {folder} ({reason})"
            raise UserError(f"{found}; {_remedy(error, download)}") from error


def _parameters(kind: Any) -> set[str]:  # noqa: ANN401
    """The arguments of a class, and those that it relays to the class it is made from."""
    found = inspect.signature(kind).parameters.values()
    names = {each.name for each in found}
    relayed = any(each.kind is each.VAR_KEYWORD for each in found)
    return names | _parameters(kind.__base__) if relayed and kind.__base__ is not object else names


def _remedy(error: Exception, download: bool) -> str:
    if isinstance(error, ImportError):
        return "install it, or choose another"
    if isinstance(error, TypeError):
        return "give it the arguments that it needs, as in data.options.arguments.split=balanced"
    if "argument split" in str(error):
        return "name its values for train, val and test, as in data.options.splits.test=val"
    if download:
        return "try again"
    return "set data.download to true, replace the files there, or choose another"
