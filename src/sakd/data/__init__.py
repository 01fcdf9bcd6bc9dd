"""Images: where they come from, how they are split, and how they reach a training step.

Datasets are found by name in `DATASETS`; `open_dataset` knows ``torchvision:NAME`` too.
"""

from dataclasses import fields
from pathlib import Path

from sakd.data.augment import Augment
from sakd.data.card import DataCard, Splits
from sakd.data.cifar import Cifar10, Cifar100
from sakd.data.dataset import Dataset, RawData
from sakd.data.digits import Digits
from sakd.data.files import ImageFiles, decoders
from sakd.data.folder import Folder
from sakd.data.imagenet import Imagenet
from sakd.data.images import Images, ImageSet, content_hash
from sakd.data.own_parquet import Parquet
from sakd.data.primary import from_tensors
from sakd.data.sampling import labelled_subset
from sakd.data.splits import Splitting, preparation_key, prepare
from sakd.data.stream import Batch, BatchStream, evaluation_batches
from sakd.data.tiny_imagenet import TinyImagenet
from sakd.data.torchvision_reading import PREFIX
from sakd.data.torchvision_sets import TorchvisionImages
from sakd.errors import UserError
from sakd.tables import Table, UnknownNameError

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


__all__ = [
    "DATASETS",
    "Augment",
    "Batch",
    "BatchStream",
    "DataCard",
    "Dataset",
    "ImageFiles",
    "ImageSet",
    "Images",
    "RawData",
    "Splits",
    "Splitting",
    "content_hash",
    "decoders",
    "evaluation_batches",
    "from_tensors",
    "labelled_subset",
    "open_dataset",
    "preparation_key",
    "prepare",
]
