"""The images that a model was trained on, as its project prepared them."""

from __future__ import annotations

from pathlib import Path

import torch

from sakd.data import Images, SplitStore, from_tensors
from sakd.deployment.finding import STORE
from sakd.deployment.model import Model
from sakd.foundation.errors import UserError, require

PRIMARY = "03_primary"
"""The folder with prepared splits, next to that of the models."""


def development(
    model: Model, path: Path, primary: Path | None = None, images: Path | None = None
) -> tuple[Images, Images]:
    """Find the training and the validation images of a model.

    Args:
        model: The model.
        path: Its file of weights: the images are looked for in the project that it lies in.
        primary: The folder of the prepared data; None for that of the project.
        images: The folder of images that stay in their files.

    Raises:
        UserError: They are not there, or are damaged.
    """
    place = primary or _primary(path)
    stores = [SplitStore(card.parent) for card in sorted(place.glob("*/card.json"))]
    mine = [each for each in stores if each.card and each.card.sha256 == model.data.sha256]
    if not mine:
        raise UserError(
            f"the images that the model was trained on are not in {place}: name the folder by "
            "--primary, or prepare them again by kedro run --pipelines data_preparation"
        )
    tables = [mine[0].development[split]() for split in ("train", "val")]
    fine = images is not None or not any("paths" in table for table in tables)
    require(fine, "the images of the model are files: name their folder by --images")
    train, val = (from_tensors(table, images) for table in tables)
    return train, val


def _primary(path: Path) -> Path:
    above = [folder for folder in path.absolute().parents if folder.name == STORE.name]
    return (above[0] if above else STORE).parent / PRIMARY


def spread(images: Images, count: int) -> Images:
    """Take at most ``count`` of the images, evenly."""
    places = torch.linspace(0, len(images) - 1, min(count, len(images))).round().long()
    return images.subset(places)
