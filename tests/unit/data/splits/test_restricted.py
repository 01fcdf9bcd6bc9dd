"""Data of some of the classes: how they are named, and what is left."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from sakd.data import ImageSet, Prepared, Splits
from sakd.data.splits.restricted import card_of_classes, named_classes, restricted
from sakd.foundation.errors import UserError

CLASSES = ("ant", "bee", "cat", "dog", "a..b")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["bee", "ant"], ("ant", "bee")),
        (["bee..dog"], ("bee", "cat", "dog")),
        (["dog", "ant..bee"], ("ant", "bee", "dog")),
        (["a..b", "cat"], ("cat", "a..b")),
        (["ant..bee", "cat..dog"], ("ant", "bee", "cat", "dog")),
    ],
)
def test_classes_are_named_alone_and_in_spans(given: list[str | int], named: list[str]) -> None:
    assert named_classes(given, CLASSES) == named


def test_numbers_are_names_too() -> None:
    assert named_classes([2, "0"], ["0", "1", "2"]) == ("0", "2")


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (["ant", "bet"], "unknown class 'bet'; did you mean 'bee'"),
        (["ant..bat"], "unknown class 'bat'"),
        (["cat..ant"], "'cat..ant': cat does not come before ant; exchange"),
        (["ant..ant"], "'ant..ant': ant does not come before ant"),
        (["ant..cat", "bee"], "'bee' is named twice"),
        (["ant"], "ant: fewer than 2 classes"),
    ],
)
def test_wrong_names_are_refused(given: list[str | int], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        named_classes(given, CLASSES)


def test_images_of_some_classes_count_from_zero(splits: Splits) -> None:
    data = Prepared(splits.train, splits.card)
    part = restricted(data, ["bee", "cat"])
    assert part.card.classes == ("bee", "cat")
    assert part.card.counts["train"] == data.card.counts["train"][1:]
    whole = data.images.labels
    assert torch.equal(part.images.labels, whole[whole > 0] - 1)
    assert part.images.digests() == data.images.subset(torch.nonzero(whole > 0)[:, 0]).digests()
    assert part.card.normalisation == data.card.normalisation


def test_the_card_of_a_part_is_another(splits: Splits) -> None:
    cards = [card_of_classes(splits.card, part) for part in (("ant", "bee"), ("ant", "cat"))]
    assert len({card.sha256 for card in (*cards, splits.card)}) == 3


@pytest.mark.parametrize(
    ("train", "imbalance"), [((2, 9, 6), 3.0), ((2, 9, 0), 1.0), ((0, 9, 0), 7.5), (None, 7.5)]
)
def test_the_imbalance_of_a_part_is_that_of_its_classes_with_images(
    splits: Splits, train: tuple[int, ...] | None, imbalance: float
) -> None:
    counts = {} if train is None else {"train": train}
    whole = replace(splits.card, counts=counts, imbalance=7.5)
    assert card_of_classes(whole, ["ant", "cat"]).imbalance == imbalance


def test_no_image_of_the_classes_is_refused_and_one_is_enough(splits: Splits) -> None:
    few = ImageSet(splits.train.images[:1], splits.train.labels[:1])
    others = [name for n, name in enumerate(splits.card.classes) if n != int(few.labels)]
    with pytest.raises(UserError, match=rf"none of 1 images is of the classes {', '.join(others)}"):
        restricted(Prepared(few, splits.card), others)
    assert len(restricted(Prepared(few, splits.card), splits.card.classes).images) == 1
