"""Duplicates: no image is in two splits, and all that were found are counted."""

import logging
from dataclasses import replace
from typing import Literal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sakd.data import ImageSet, RawData, Splits, Splitting, prepare
from sakd.foundation.errors import UserError

EVERY = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 1)), max_size=20)


def images(*pairs: tuple[int, int]) -> ImageSet:
    """One-pixel-different images: (what it shows, label)."""
    shown = torch.zeros(len(pairs), 1, 2, 2, dtype=torch.uint8)
    shown[:, 0, 0, 0] = torch.tensor([shows for shows, _ in pairs], dtype=torch.uint8)
    return ImageSet(shown, torch.tensor([label for _, label in pairs], dtype=torch.int64))


# Enough images of both classes that nothing else is like.
PLAIN = [(100 + number, number % 2) for number in range(12)]


def split(raw: RawData, rule: Literal["drop", "keep"] = "drop") -> Splits:
    splitting = Splitting(0.25, test_fraction=0.25, duplicates=rule)
    return prepare(raw, splitting, name="pets")


def shown(part: ImageSet) -> set[int]:
    return set(part.images[:, 0, 0, 0].tolist())


@given(EVERY, st.none() | EVERY, st.none() | EVERY)
def test_no_image_is_in_two_splits_and_none_is_lost_but_those_counted(train, val, test) -> None:
    given_test = None if test is None else images(*test, *((k + 50, label) for k, label in PLAIN))
    raw = RawData(
        images(*train, *PLAIN),
        given_test,
        ("ant", "bee"),
        "made",
        val=None if val is None else images(*val, (200, 0), (201, 1)),
    )
    parts = split(raw)
    train_shows, val_shows, test_shows = map(shown, (parts.train, parts.val, parts.test))
    assert not train_shows & val_shows
    assert not (train_shows | val_shows) & test_shows
    found = parts.card.duplicates
    assert found["left_out"] == found["in_test"] + found["contradicting"] + found["repeated"]
    before = sum(len(part) for part in (raw.train, raw.val, raw.test) if part is not None)
    after = len(parts.train) + len(parts.val) + len(parts.test)
    assert before == after + found["left_out"]


def test_each_kind_of_duplicate_is_counted_once_and_left_out() -> None:
    train = images(*PLAIN, (1, 0), (1, 0), (1, 0), (2, 0), (2, 1), (2, 1), (3, 0), (3, 1), (4, 0))
    test = images((3, 0), (4, 1), (5, 0), (5, 0))
    parts = split(RawData(train, test, ("ant", "bee"), "made"))
    assert parts.card.duplicates == {
        "in_test": 3,  # 3, 3 and 4
        "contradicting": 3,  # 2, 2 and 2
        "repeated": 2,  # the second and third 1
        "left_out": 8,
    }
    assert shown(parts.train) | shown(parts.val) == {1, *(shows for shows, _ in PLAIN)}
    assert len(parts.test) == 4  # as it came


def test_of_an_image_in_train_and_val_the_one_in_val_stays() -> None:
    raw = RawData(images(*PLAIN, (1, 0)), images((9, 0)), ("ant", "bee"), "made")
    parts = split(replace(raw, val=images((1, 0), (2, 1))))
    assert shown(parts.val) == {1, 2}
    assert 1 not in shown(parts.train)
    assert parts.card.duplicates["repeated"] == 1


@pytest.mark.parametrize(("rule", "kept"), [("drop", False), ("keep", True)])
def test_duplicates_are_counted_and_kept_only_where_the_settings_say_so(
    rule: Literal["drop", "keep"], kept: bool
) -> None:
    pairs = [*PLAIN, (1, 0), (1, 0), (2, 0), (2, 1)]
    raw = RawData(images(*pairs), images((1, 0)), ("ant", "bee"), "made")
    card = split(raw, rule).card
    found = {"in_test": 2, "contradicting": 2, "repeated": 0}
    assert card.duplicates == {**found, "left_out": 0 if kept else 4}
    assert sum(map(sum, card.counts.values())) - 1 == len(pairs) - card.duplicates["left_out"]


@pytest.mark.parametrize(
    ("more", "rule", "said"),
    [
        ([], "drop", []),
        ([], "keep", []),
        ([(1, 0), (1, 0)], "drop", ["1 images of train and val left out"]),
        ([(1, 0), (1, 0)], "keep", ["1 images of train and val kept"]),
    ],
)
def test_the_log_says_what_became_of_duplicates_if_there_are_any(
    more: list[tuple[int, int]],
    rule: Literal["drop", "keep"],
    said: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    raw = RawData(images(*PLAIN, *more), None, ("ant", "bee"), "made")
    with caplog.at_level(logging.INFO):
        split(raw, rule)
    found = [line.partition(":")[0] for line in caplog.messages if "train and val" in line]
    assert found == said


@pytest.mark.parametrize(
    ("val", "test", "message"),
    [
        ([(1, 0)], [(1, 0), (2, 1)], "val has no image .*add"),
        ([(1, 0), (2, 1)], PLAIN[::2], "'ant' has 0 .*needed: 1 .*add"),
        (None, PLAIN[::2], "'ant' has 0 .*needed: 2 .*add"),
        (None, PLAIN[1::2], "'bee' has 0 .*needed: 2 .*add"),
    ],
)
def test_what_is_left_must_do_for_training_and_val(val, test, message: str) -> None:
    raw = RawData(images(*PLAIN), images(*test), ("ant", "bee"), "made")
    with pytest.raises(UserError, match=message):
        split(raw if val is None else replace(raw, val=images(*val)))
