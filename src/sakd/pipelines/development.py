"""The prepared data as nodes get it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from sakd.config import Settings
from sakd.data import DataCard, ImageSet
from sakd.jobs import Lessons
from sakd.runner import Bench
from sakd.runtime import resolve_device
from sakd.store import CellStore

Parts = Mapping[str, Callable[[], Mapping[str, Tensor]]]
"""Prepared splits by name, each read when called: ``train`` and ``val``, or ``test``."""


def image_set(tensors: Mapping[str, Tensor]) -> ImageSet:
    """Prepared tensors as images."""
    return ImageSet(tensors["images"], tensors["labels"])


def open_bench(
    development: Parts, card: Mapping[str, Any], cells: CellStore, settings: Settings
) -> Bench:
    """Where the jobs of a node are run."""
    device = resolve_device(settings.device)
    return Bench(image_set(development["val"]()), DataCard.from_json(card), cells, device)


def lessons(
    development: Parts, card: Mapping[str, Any], settings: Settings, *, per_class: int | None
) -> Lessons:
    """What a network learns from: all training images, or so many of each class."""
    train = image_set(development["train"]())
    return Lessons(train, DataCard.from_json(card), per_class, settings.data.split_seed)
