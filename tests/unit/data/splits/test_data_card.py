"""The data card: the same after JSON, and honest about uneven classes."""

from __future__ import annotations

import json
import logging
from dataclasses import astuple, fields, replace

import pytest
import torch

from sakd.data import DataCard, ImageSet, RawData, Splitting, prepare
from sakd.data.splits.duplicates import Duplicates
from sakd.foundation.errors import UserError

CARD = DataCard(
    name="pets",
    classes=("ant", "bee"),
    channels=3,
    height=8,
    width=9,
    mean=(0.1, 0.2, 0.3),
    std=(0.4, 0.5, 0.6),
    counts={"train": (3, 4), "val": (1, 1), "test": (6, 2)},
    source="here",
    key="ee",
    sha256="00ff",
)


def test_a_card_is_the_same_after_json() -> None:
    assert DataCard.from_json(json.loads(json.dumps(CARD.to_json()))) == CARD


@pytest.mark.parametrize("change", [{"colour": 1}, {"sha256": None}])
def test_a_card_with_other_entries_is_refused_with_the_remedy(change) -> None:
    card = {key: value for key, value in (CARD.to_json() | change).items() if value is not None}
    with pytest.raises(UserError, match=rf"{next(iter(change))}.* prepare"):
        DataCard.from_json(card)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"classes": "ant"}, "classes takes"),
        ({"classes": []}, "no classes"),
        ({"classes": ["ant", "ant"]}, "several classes called ant"),
        ({"channels": 0}, "channels must be above 0"),
        ({"height": "8"}, "height takes int"),
        ({"mean": [0.1]}, "mean is not"),
        ({"mean": [0.1, 0.2, float("nan")]}, "mean is not"),
        ({"std": [0.4, 0.5, 0]}, "std must be above 0"),
        ({"counts": {"train": [1, 2]}}, "counts of val"),
        ({"counts": {"train": [3], "val": [1, 1], "test": [1, 1]}}, "counts of train"),
        ({"counts": {"train": [0, 0], "val": [1, 1], "test": [1, 1]}}, "counts of train"),
        ({"counts": {"train": [3, 4], "val": [1, 1], "test": [-1, 0]}}, "counts of test"),
        ({"preprocessing": [3]}, "preprocessing takes"),
        ({"parts": None}, "parts takes"),
    ],
)
def test_a_card_whose_entries_do_not_fit_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=rf"damaged data card \(.*{said}.*prepare"):
        DataCard.from_json(CARD.to_json() | change)


def test_all_entries_that_are_missing_or_unknown_are_named_in_order() -> None:
    card = CARD.to_json() | {"colour": 1, "age": 2}
    del card["mean"], card["width"], card["classes"]
    with pytest.raises(UserError, match="age, classes, colour, mean, width; prepare"):
        DataCard.from_json(card)


def test_what_a_card_does_not_say_is_nothing_special() -> None:
    given = {part.name: getattr(CARD, part.name) for part in fields(DataCard)}
    needed = list(given)[: list(given).index("imbalance")]
    made = DataCard(**{name: given[name] for name in needed})
    assert (made.imbalance, made.origin, made.asked, dict(made.parts)) == (1.0, "", "", {})
    assert astuple(Duplicates()) == (0, 0, 0, 0)


def test_the_normalisation_of_a_key_is_rounded() -> None:
    card = replace(CARD, mean=(1 / 3, 0.1, 0.2), std=(0.1234564999, 2 / 3, 1.0))
    assert card.normalisation == [[0.333333, 0.1, 0.2], [0.123456, 0.666667, 1.0]]


def test_a_split_may_have_no_image_of_the_classes_that_a_network_knows() -> None:
    card = replace(CARD, counts={**CARD.counts, "train": (3, 0), "test": (0, 0)})
    assert DataCard.from_json(card.to_json()) == card
    assert (card.unevenness, card.majority_share("test")) == (1, 0)


def test_the_majority_share_is_that_of_the_largest_class_of_the_split() -> None:
    assert CARD.majority_share("test") == 0.75
    assert CARD.majority_share("train") == 4 / 7
    single = replace(CARD, counts={**CARD.counts, "test": (0, 1)})
    assert single.majority_share("test") == 1
    with pytest.raises(UserError, match=r"'dev'.* train, val, test"):
        CARD.majority_share("dev")


@pytest.mark.parametrize(
    ("train", "test", "ratio", "uneven"),
    [
        ((30, 10), (5, 5), 3.0, True),
        ((29, 10), (5, 5), 2.9, False),
        ((9, 9), (8, 2), 4.0, True),
        ((4, 3), (0, 6), 4 / 3, False),
    ],
)
def test_classes_are_uneven_by_the_larger_ratio_of_train_and_test(
    train: tuple[int, ...], test: tuple[int, ...], ratio: float, uneven: bool
) -> None:
    card = replace(CARD, counts={"train": train, "val": (1, 9), "test": test})
    assert (card.unevenness, card.uneven) == (pytest.approx(ratio), uneven)


def test_classes_without_images_in_a_split_are_listed() -> None:
    card = replace(CARD, counts={"train": (3, 4), "val": (0, 1), "test": (6, 2)})
    assert (card.without_images("val"), card.without_images("test")) == (["ant"], [])


@pytest.mark.parametrize(("rare", "said"), [(5, True), (12, False), (15, False)])
def test_uneven_classes_are_counted_and_said_in_the_log(
    rare: int, said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    count = 20 + rare
    shown = torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1).repeat(1, 1, 2, 2)
    labels = (torch.arange(count) >= 20).long()
    raw = RawData(ImageSet(shown, labels), None, ("ant", "bee"), "made")
    with caplog.at_level(logging.WARNING):
        card = prepare(raw, Splitting(0.25, test_fraction=0.2), name="pets").card
    many, few = card.counts["train"]
    assert card.imbalance == round(many / few, 2)
    share = f"{100 * card.counts['test'][0] / sum(card.counts['test']):.1f} %"
    assert (share in caplog.text) is said
