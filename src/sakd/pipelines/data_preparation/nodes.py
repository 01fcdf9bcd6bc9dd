"""Nodes of data preparation."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from sakd.config import DataSettings
from sakd.data import ImageSet, labelled_subset, prepare

Tensors = dict[str, Tensor]


def prepare_data(data: DataSettings) -> tuple[dict[str, Tensors], Tensors, dict[str, Any]]:
    """Read the raw images and split them.

    Returns:
        The development images by split (``train`` and ``val``), the test images, the data card.

    Raises:
        UserError: there are too few images for the splits, or for the students' labelled ones.
    """
    splits = prepare(
        data.dataset().load(),
        name=data.name,
        val_fraction=data.val_fraction,
        test_fraction=data.test_fraction,
        train_size=data.train_size,
        split_seed=data.split_seed,
    )
    labelled_subset(splits.train, data.student_per_class, data.split_seed)  # or stop here
    development = {"train": _tensors(splits.train), "val": _tensors(splits.val)}
    return development, _tensors(splits.test), splits.card.to_json()


def _tensors(images: ImageSet) -> Tensors:
    return {"images": images.images.contiguous(), "labels": images.labels.contiguous()}
