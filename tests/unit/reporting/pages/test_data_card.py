"""The data in the report: found at a glance, with the names of the classes."""

from __future__ import annotations

import pytest

from sakd.reporting.pages.data_card import data_section

NO_DUPLICATES = {"in_test": 0, "contradicting": 0, "repeated": 0, "left_out": 0}
FOUND = {"in_test": 3, "contradicting": 2, "repeated": 1, "left_out": 6}


def facts(card):
    (section,) = data_section(card)
    return dict(section.blocks[0].items)


def tables(card):
    (section,) = data_section(card)
    return [block.frame.to_numpy().tolist() for block in section.blocks[1:]]


def test_without_a_card_there_is_no_section():
    assert data_section(None) == []


def test_the_facts_are_those_of_the_card(data):
    assert facts(data(duplicates=FOUND)) == {
        "name": "folder_pets",
        "channels, height, width": "3 x 32 x 24",
        "classes": "2: ant, bee",
        "imbalance": "1.29",
        "mean": "0.1235",
        "std": "0.2500",
        "duplicates in train and val": (
            "6, left out: 3 in test too, 2 with contradicting labels, 1 repeat others"
        ),
        "source": "image folder",
        "sha256": "00ff",
    }


def test_notes_and_images_that_were_left_out_are_shown(data):
    skipped = tuple(f"{number}.png (truncated)" for number in range(12))
    shown = facts(data(notes=("levels 0 to 4095", "12 skipped"), skipped=skipped))
    assert shown["notes"] == "levels 0 to 4095; 12 skipped"
    left_out = shown["left out, as they cannot be used"]
    assert left_out.startswith("0.png (truncated), 1.png")
    assert left_out.endswith("9.png (truncated) and 2 more")


@pytest.mark.parametrize(
    ("duplicates", "shown"),
    [
        (NO_DUPLICATES, "none"),
        (FOUND | {"left_out": 0}, "6, kept: 3 in test too, 2 with contradicting labels, 1 repeat"),
        ({}, ""),
    ],
)
def test_duplicates_are_shown_with_what_became_of_them(data, duplicates, shown):
    found = facts(data(duplicates=duplicates)).get("duplicates in train and val", "")
    assert found.startswith(shown)


def test_images_are_counted_per_split_and_per_class(data):
    splits, classes = tables(data())
    assert splits == [["train", "16", "7 to 9"], ["val", "4", "2"], ["test", "100", "40 to 60"]]
    assert classes == [["ant", "9", "2", "60"], ["bee", "7", "2", "40"]]


def test_of_many_classes_the_largest_and_the_smallest_are_shown(data):
    names = tuple(f"class {label}" for label in range(50))
    card = data(classes=names, counts={"train": tuple(range(50)), "test": (1,) * 50})
    _, rows = tables(card)
    expected = [*range(49, 39, -1), *range(9, -1, -1)]
    assert [row[0] for row in rows] == [f"class {label}" for label in expected]
    assert facts(card)["classes"].endswith("class 19 and 30 more")
