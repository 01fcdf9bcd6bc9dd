"""The datasets, by name; `open_dataset` knows ``torchvision:NAME`` too."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from sakd.data.sources.base import Dataset
from sakd.data.sources.cifar import Cifar10, Cifar100
from sakd.data.sources.digits import Digits
from sakd.data.sources.folder import Folder
from sakd.data.sources.imagenet import Imagenet
from sakd.data.sources.parquet import Parquet
from sakd.data.sources.tiny_imagenet import TinyImagenet
from sakd.data.sources.torchvision import TorchvisionImages
from sakd.data.sources.torchvision_classes import PREFIX
from sakd.foundation.errors import UserError
from sakd.foundation.tables import Table, UnknownNameError

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


def open_dataset(
    name: str,
    path: Path | None = None,
    source: str | None = None,
    *,
    download: bool = False,
    **options: object,
) -> Dataset:
    """The dataset that is meant; nothing is read yet.

    Args:
        name: One of `DATASETS`, or ``torchvision:NAME``.
        path: The folder of its data, where it needs one; ``~`` is the home folder.
        source: The form in which it is read; None for the first that it has.
        download: Whether missing data may be fetched.
        options: What only some datasets take; those that are None are not given.

    Raises:
        UserError: There is none of that name and source, it does not take an option, or ``path`` is
            in the home folder of nobody.
    """
    given = {option: value for option, value in options.items() if value is not None}
    kind = TorchvisionImages if name.startswith(PREFIX) else _of_table(name)
    if strange := set(given) - {field.name for field in fields(kind)}:
        named = ", ".join(f"data.{option}" for option in sorted(strange))
        raise UserError(f"{name} does not take {named}; leave it out")
    if name.startswith(PREFIX):
        given["item"] = name.removeprefix(PREFIX)
    return kind(_expanded(path), source or kind.sources[0], download, **given)


def _expanded(path: Path | None) -> Path | None:
    if path is None:
        return None
    try:
        return path.expanduser()
    except RuntimeError as error:
        user = f"data.path {path}: there is no user {path.parts[0].removeprefix('~')}"
        raise UserError(f"{user}; write the path in full") from error


def _of_table(name: str) -> type[Dataset]:
    try:
        return DATASETS[name]
    except UnknownNameError as error:
        raise UnknownNameError(f"{error}; or {PREFIX}NAME") from error
