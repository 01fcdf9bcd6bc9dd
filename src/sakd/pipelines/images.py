"""Prepared images, taken only if they are those that the parameters ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sakd.data import DataCard, Parts, Prepared
from sakd.data.batches.images import content_hash
from sakd.data.parameters import DataParameters
from sakd.foundation.errors import UserError, require
from sakd.study.lessons import Lessons

REMEDY = "run --pipelines data_preparation with these parameters first"


def lessons(development: Parts, card: Mapping[str, Any], data: DataParameters) -> Lessons:
    """Read all training images, with what the choice of labelled ones depends on.

    Raises:
        UserError: They are not those that ``data`` asks for, see `prepared`.
    """
    train = prepared("train", development, card, data)
    aside = "aside" in train.card.counts
    return Lessons(
        train,
        seed=data.splitting().drawn_by,
        aside=prepared("aside", development, card, data).images if aside else None,
    )


def prepared(split: str, parts: Parts, card: Mapping[str, Any], data: DataParameters) -> Prepared:
    """Read the images of a split.

    Args:
        split: The name of the split.
        parts: The splits that are at hand.
        card: Of the prepared data.
        data: The parameters that the data should have been prepared by.

    Raises:
        UserError: They were prepared by other parameters, or by an earlier version; or the images
            are not those of the card: preparing them was cut off, another run has prepared them
            again meanwhile, or a file is damaged.
    """
    known = DataCard.from_json(card)
    made_otherwise = f"{known.name} was prepared by an earlier version or with other parameters"
    require(known.asked == data.asked, f"{made_otherwise} of data: {REMEDY}")
    try:
        images = data.images(parts[split]())
    except (KeyError, ValueError) as error:
        raise UserError(f"{_unlike(split, known)} ({error}): {REMEDY}") from error
    expected = known.parts.get(split)  # noise, which only takes time, has none
    fine = expected is None or content_hash([images]) == expected
    require(fine, f"{_unlike(split, known)}: {REMEDY}")
    return Prepared(images, known)


def _unlike(split: str, card: DataCard) -> str:
    return (
        f"the {split} images of {card.name} are not those of their card, as they are damaged, or "
        "a run that prepares others was cut off or is at work"
    )
