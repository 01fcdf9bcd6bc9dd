"""Torchvision's own classes of datasets, made and read."""

from __future__ import annotations

import inspect
import operator
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from threading import Lock
from typing import Any

from PIL import Image

from sakd.data.pictures.decoding import Pictures
from sakd.data.sources.base import RawData
from sakd.data.sources.reading import SPLITS, Labelled, read_raw
from sakd.foundation.errors import UserError, require
from sakd.foundation.names import parse_arguments

PREFIX = "torchvision:"
EXAMPLE = "torchvision:EMNIST(split='balanced')"
CALL = re.compile(r"(?P<kind>\w+)(\((?P<given>.*)\))?")
OURS = frozenset({"root", "train", "download"})
FUNCTIONS = frozenset({"transform", "target_transform", "transforms", "loader", "is_valid_file"})
"""Arguments of torchvision's classes that no name can bring along."""
TARGETS = ("targets", "labels", "_labels")  # where torchvision's classes keep all labels
# What those that take ``split`` call train, val and test, where not train, none and test.
SPLIT_ARGUMENTS: Mapping[str, Sequence[str | None]] = {
    "Country211": ("train", "valid", "test"),
    "DTD": ("train", "val", "test"),
    "FGVCAircraft": ("train", "val", "test"),
    "Flowers102": ("train", "val", "test"),
    "ImageNet": ("train", None, "val"),
    "Imagenette": ("train", None, "val"),
    "OxfordIIITPet": ("trainval", None, "test"),
    "PCAM": ("train", "val", "test"),
    "Places365": ("train-standard", None, "val"),
    "RenderedSST2": ("train", "val", "test"),
}


class Items(Pictures):
    """The images of a torchvision dataset, one at a time: not all of its classes stand threads."""

    def __init__(self, items: Any, name: str) -> None:  # noqa: ANN401 - torchvision has no types
        """Read ``items``, called ``name`` in messages."""
        self._items = items
        self._name = name
        self._lock = Lock()

    def __len__(self) -> int:
        """Count the images."""
        return len(self._items)

    def open(self, number: int) -> Image.Image:
        """Take the image."""
        with self._lock:
            picture: Image.Image = self._items[number][0]
        return picture

    def where(self, number: int) -> str:
        """Give name and position."""
        return f"image {number} of {self._name}"


def torchvision_class(item: str) -> type[Any]:
    """The dataset of torchvision that is called ``item``.

    Raises:
        UserError: There is none.
    """
    from torchvision import datasets  # noqa: PLC0415 - seconds to import

    found = {name: getattr(datasets, name) for name in datasets.__all__}
    kinds = {name: kind for name, kind in found.items() if isinstance(kind, type)}
    if item in kinds:
        return kinds[item]
    near = [name for name in kinds if name.lower() == item.lower()]
    near = near or get_close_matches(item, kinds)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise UserError(f"torchvision has no dataset {item!r}{hint}")


def torchvision_call(item: str) -> tuple[type[Any], dict[str, Any]]:
    """The dataset of torchvision that is meant, and the arguments that ``item`` gives it.

    Raises:
        UserError: There is none, or it does not take them.
    """
    called = CALL.fullmatch(item)
    kind = torchvision_class(called["kind"] if called else item)
    given = parse_arguments(f"{PREFIX}{item}", (called and called["given"]) or "", EXAMPLE)
    takes = _parameters(kind)
    allowed = takes - OURS - FUNCTIONS - (set() if "train" in takes else {"split"})
    if strange := ", ".join(sorted(set(given) - allowed)):
        listed = ", ".join(sorted(allowed)) or "none"
        raise UserError(f"{PREFIX}{item} cannot be given {strange}; allowed: {listed}")
    return kind, given


def _parameters(kind: type[Any]) -> set[str]:
    """What can be given by name, to a class or by way of it to what it is made from."""
    names: set[str] = set()
    for base in kind.__mro__:
        if "__init__" in vars(base):
            found = inspect.signature(vars(base)["__init__"]).parameters.values()
            names |= {one.name for one in found}
            if all(one.kind is not one.VAR_KEYWORD for one in found):
                break
    return names - {"self", "args", "kwargs"}


def open_torchvision(item: str, folder: Path, *, download: bool) -> dict[str, Any]:
    """Make torchvision's objects of each split; arguments as for `read_torchvision`.

    Raises:
        UserError: Files are missing or damaged, or cannot be downloaded.
    """
    kind, given = torchvision_call(item)
    with _failures_told(item, folder, download=download):
        return {
            split: _make(kind, folder, download, {**given, **arguments})
            for split, arguments in _splits(kind).items()
        }


@contextmanager
def _failures_told(item: str, folder: Path, *, download: bool) -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # wrong files fail in as many ways as there are classes
        reason = re.split(r"\. |\n", str(error))[0].rstrip(".") or type(error).__name__
        done = "downloaded to" if download else "read from"
        found = f"{PREFIX}{item} could not be {done} {folder} ({reason})"
        raise UserError(f"{found}; {_remedy(error, download)}") from error


def _remedy(error: Exception, download: bool) -> str:
    if isinstance(error, ImportError):
        return "install it, or choose another"
    if isinstance(error, TypeError):
        return f"give it the arguments that it needs, as in {EXAMPLE}, or choose another"
    if download:
        return "try again"
    return "set data.download to true, replace the files there, or choose another"


def read_torchvision(item: str, folder: Path, *, download: bool, **form: Any) -> RawData:  # noqa: ANN401
    """Read the splits of a torchvision dataset.

    Args:
        item: The name of torchvision's class.
        folder: Where its files are, or shall be.
        download: Whether they may be fetched.
        form: As for `read_raw`.

    Raises:
        UserError: They are missing or damaged, or the dataset is not one of classification.
    """
    name, parts = f"{PREFIX}{item}", open_torchvision(item, folder, download=download)
    with _failures_told(item, folder, download=download):
        labels = {split: _labels(items, name) for split, items in parts.items()}
    classes = _classes(parts["train"], labels["train"])
    splits = {
        split: Labelled(Items(items, f"{name}, {split}"), labels[split])
        for split, items in parts.items()
    }
    return read_raw(splits, classes, f"{name}, as torchvision reads it", **form)


def _splits(kind: type[Any]) -> dict[str, dict[str, object]]:
    parameters = _parameters(kind)
    if "train" in parameters:
        return {"train": {"train": True}, "test": {"train": False}}
    if "split" in parameters:
        names = SPLIT_ARGUMENTS.get(kind.__name__, ("train", None, "test"))
        return {s: {"split": name} for s, name in zip(SPLITS, names, strict=True) if name}
    return {"train": {}}


def _make(kind: type[Any], folder: Path, download: bool, arguments: dict[str, object]) -> Any:  # noqa: ANN401
    known = _parameters(kind)
    if "root" in known:
        arguments = {"root": folder, **arguments}
    if "download" in known:
        arguments = {"download": download, **arguments}  # of some it is true unless given
    else:
        message = f"torchvision does not download {kind.__name__}; set data.download to false"
        require(not download, f"{message}, and put its files into {folder}")
    return kind(**arguments)


def _labels(items: Any, name: str) -> list[int]:  # noqa: ANN401
    every = next((found for at in TARGETS if (found := getattr(items, at, None)) is not None), ())
    try:
        count = len(items)
        if len(every) != count:
            every = [items[number][1] for number in range(count)]
        return [operator.index(label) for label in every]
    except (TypeError, NotImplementedError) as error:
        message = f"{name} is no classification dataset: its targets are no class numbers"
        raise UserError(message) from error


def _classes(items: Any, labels: Sequence[int]) -> tuple[str, ...]:  # noqa: ANN401
    names = getattr(items, "classes", None) or range(max(labels) + 1)
    return tuple(", ".join(name) if isinstance(name, tuple) else str(name) for name in names)
