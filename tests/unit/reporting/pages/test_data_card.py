"""The data in the report: found at a glance, with the names of the classes."""

from typing import Any

import pytest

from sakd.reporting.pages.data_card import data_section
from sakd.reporting.pages.sections import Facts, Section, Tabular

NO_DUPLICATES = {"in_test": 0, "contradicting": 0, "repeated": 0, "left_out": 0}
FOUND = {"in_test": 3, "contradicting": 2, "repeated": 1, "left_out": 6}
CARD: dict[str, Any] = {
    "name": "folder_pets",
    "classes": ["ant", "bee"],
    "channels": 3,
    "height": 32,
    "width": 24,
    "mean": [0.12345],
    "std": [0.25],
    "counts": {"train": [9, 3], "val": [2, 2], "test": [1, 1]},
    "imbalance": 3.0,
    "duplicates": FOUND,
    "source": "image folder",
    "sha256": "00ff",
}


def section(**changes: object) -> Section:
    (found,) = data_section({**CARD, **changes})
    return found


def facts(**changes: object) -> dict[str, str]:
    first = section(**changes).blocks[0]
    assert isinstance(first, Facts)
    return dict(first.items)


def table(position: int, **changes: object) -> list[list[str]]:
    block = section(**changes).blocks[position]
    assert isinstance(block, Tabular)
    rows: list[list[str]] = block.frame.to_numpy().tolist()
    return rows


def test_without_a_card_there_is_no_section() -> None:
    assert data_section({}) == []


def test_the_facts_are_those_of_the_card() -> None:
    assert facts() == {
        "name": "folder_pets",
        "channels, height, width": "3 x 32 x 24",
        "classes": "2: ant, bee",
        "imbalance": "3.0",
        "mean": "0.1235",
        "std": "0.2500",
        "duplicates in train and val": (
            "6, left out: 3 in test too, 2 with contradicting labels, 1 repeat others"
        ),
        "source": "image folder",
        "sha256": "00ff",
    }


@pytest.mark.parametrize(
    ("duplicates", "told"),
    [
        (NO_DUPLICATES, "none"),
        (FOUND | {"left_out": 0}, "6, kept: 3 in test too, 2 with contradicting labels, 1 repeat"),
    ],
)
def test_duplicates_are_told_with_what_became_of_them(duplicates, told: str) -> None:
    assert facts(duplicates=duplicates)["duplicates in train and val"].startswith(told)


def test_images_are_counted_per_split_and_per_class() -> None:
    assert table(1) == [["train", "12", "3 to 9"], ["val", "4", "2"], ["test", "2", "1"]]
    assert table(2) == [["ant", "9", "2", "1"], ["bee", "3", "2", "1"]]


def test_of_many_classes_the_largest_and_the_smallest_are_shown() -> None:
    names = [f"class {label}" for label in range(50)]
    counts = {"train": list(range(50)), "test": [1] * 50}
    rows = table(2, classes=names, counts=counts)
    expected = [*range(49, 39, -1), *range(9, -1, -1)]
    assert [row[0] for row in rows] == [f"class {label}" for label in expected]
    assert facts(classes=names, counts=counts)["classes"].endswith("class 19 and 30 more")
