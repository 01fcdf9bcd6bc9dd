"""Measure a model on labelled pictures."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import torch

from sakd.data import ImageSet, Prepared
from sakd.data.pictures.decoding import decode
from sakd.data.pictures.stored import Files
from sakd.data.sources.listing import Folders
from sakd.data.sources.split_names import SPLIT_NAMES
from sakd.deployment.model import Model
from sakd.foundation.errors import require
from sakd.foundation.names import listed
from sakd.measures import predict, quality, robustness
from sakd.tasks import CLASSIFICATION

LAYOUT = "allowed: one with a folder of images for each class, CLASS/*.png (or jpg and the like)"


class Measured(NamedTuple):
    """The measures of a model.

    Attributes:
        images: The number of images.
        measures: Numbers by name, see `evaluate`.
    """

    images: int
    measures: dict[str, float]


def evaluate(model: Model, folder: Path, temperature: float | None = None) -> Measured:
    """Measure ``model`` on the pictures in a folder per class.

    Args:
        model: The model.
        folder: A folder with one folder of images for each class, or for some of them.
        temperature: By which logits are divided for ``ece_scaled``, found on other images; None
            leaves that measure out.

    Returns:
        The measures of the task, of `sakd.measures.quality` and of `sakd.measures.robustness`, as
        fractions of 1 and ``nll`` in nats.

    Raises:
        UserError: The folder has no images, other classes, or images that cannot be used.
    """
    images = labelled_images(model, folder)
    answers = predict(
        CLASSIFICATION, model.network, Prepared(images, model.data), model.device, corrupt=True
    )
    measures = {**answers.measures, **quality(answers, temperature or math.nan)}
    if temperature is None:
        del measures["ece_scaled"]
    return Measured(len(images), {**measures, **robustness(answers)})


def labelled_images(model: Model, folder: Path) -> ImageSet:
    """Read the pictures in a folder per class, prepared for ``model``.

    Raises:
        UserError: As `evaluate`.
    """
    require(folder.is_dir(), f"no folder {folder}; {LAYOUT}")
    splits = Folders(folder, LAYOUT, SPLIT_NAMES, nested=True, on_error="skip").found()
    remedy = f"name the folder of one, such as {folder / 'test'}"
    require(list(splits) == ["train"], f"{folder} has splits: {', '.join(splits)}; {remedy}")
    files = {name: paths for name, paths in splits["train"].items() if paths}
    require(bool(files), f"{folder} has no images; {LAYOUT}")
    strange = [name for name in files if name not in model.classes]
    require(
        not strange,
        f"{folder} has classes that the model does not know: {listed(strange)}; known: "
        f"{listed(model.classes)}; rename or remove them",
    )
    paths = [path for each in files.values() for path in each]
    labels = [model.classes.index(name) for name, each in files.items() for _ in each]
    pixels, faults = decode(Files(paths), model.form, "to measure")
    bad = f"{len(faults):,} of {len(paths):,} images cannot be used: "
    require(not faults, f"{bad}{listed(faults, between='; ')}; replace or remove them")
    return ImageSet(pixels, torch.tensor(labels))
