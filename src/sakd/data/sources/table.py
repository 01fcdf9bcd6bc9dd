"""The datasets, by name; `open_dataset` also knows ``torchvision:NAME``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

from sakd.data.sources.base import Dataset, OnError
from sakd.data.sources.cifar import Cifar10, Cifar100
from sakd.data.sources.digits import Digits
from sakd.data.sources.folder import Folder
from sakd.data.sources.imagenet import Imagenet
from sakd.data.sources.parquet import Parquet
from sakd.data.sources.tiny_imagenet import TinyImagenet
from sakd.data.sources.torchvision import TorchvisionImages
from sakd.data.sources.torchvision_classes import PREFIX
from sakd.foundation.errors import UserError, require
from sakd.foundation.options import require_type
from sakd.foundation.tables import Table, UnknownNameError, is_outside

DATASETS: Table[type[Dataset]] = Table(
    "dataset",
    {
        "digits": Digits,
        "cifar10": Cifar10,
        "cifar100": Cifar100,
        "tiny_imagenet": TinyImagenet,
        "imagenet": Imagenet,
        "folder": Folder,
        "parquet": Parquet,
    },
    base=Dataset,
)

PARAMETERS = frozenset({"streamed", "workers"})
"""Options of datasets that are parameters in ``data`` itself."""


def dataset_options(kind: type[Dataset]) -> dict[str, Any]:
    """The options that a dataset has in ``data.options``, with their defaults."""
    known = {field.name for field in fields(Dataset)} | PARAMETERS | {"item"}
    return {field.name: field.default for field in fields(kind) if field.name not in known}


def open_dataset(
    name: str,
    path: Path | None = None,
    source: str | None = None,
    *,
    download: bool = False,
    classes: tuple[str, ...] = (),
    on_error: OnError = "refuse",
    **options: object,
) -> Dataset:
    """Make the dataset that is meant; nothing is read yet.

    Args:
        name: One of `DATASETS`, ``torchvision:NAME``, or ``package.module:Class``.
        path: The folder of its data, where it needs one; ``~`` is the home folder.
        source: The form in which it is read; None for the first that it has.
        download: Whether missing data may be fetched.
        classes: The order of the classes; empty for the dataset's own.
        on_error: Whether images that cannot be used are refused or skipped.
        options: Those of the dataset; None stands for the default.

    Raises:
        UserError: The name, the source or an option is unknown, or ``path`` is in the home folder
            of nobody.
    """
    kind = _kind(name)
    given = {option: value for option, value in options.items() if value is not None}
    _check_options(name, kind, given)
    if name.startswith(PREFIX):
        given["item"] = name.removeprefix(PREFIX)
    chosen = source or kind.sources[0]
    return kind(_expanded(path), chosen, download, classes, on_error, **given)


def _check_options(name: str, kind: type[Dataset], given: Mapping[str, object]) -> None:
    takes = {field.name for field in fields(kind)}
    known = dataset_options(kind)
    for option, value in given.items():
        place = f"data.{option}" if option in PARAMETERS else f"data.options.{option}"
        fine = option in known or option in takes & PARAMETERS
        allowed = f"its options: {', '.join(known) or 'none'}"
        require(fine, f"{name} does not take {place}; leave it out; {allowed}")
        require_type(f"{place} of {name}", value, get_type_hints(kind)[option])


def _expanded(path: Path | None) -> Path | None:
    if path is None:
        return None
    try:
        return path.expanduser()
    except RuntimeError as error:
        user = f"data.path {path}: there is no user {path.parts[0].removeprefix('~')}"
        raise UserError(f"{user}; write the path in full") from error


def _kind(name: str) -> type[Dataset]:
    if name.startswith(PREFIX):
        return TorchvisionImages
    try:
        kind = DATASETS[name]
    except UnknownNameError as error:
        raise UnknownNameError(f"{error}, or {PREFIX}NAME") from error
    if is_outside(name):
        own = getattr(kind, "name", None), getattr(kind, "sources", None)
        require(all(own), f"{name} lacks the class attribute name or sources; give it both")
        found = f"{name} is called {kind.name!r}, as a dataset of this project"
        taken = kind.name in {TorchvisionImages.name, *DATASETS}
        require(not taken, f"{found}; give it a name of its own")
    return kind
