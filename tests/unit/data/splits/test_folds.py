"""Where images are tested in turn, each is tested once, and is nowhere else in that split."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from sakd.data import Images, RawData, Splits, Splitting, prepare
from sakd.data.parameters import DataParameters
from sakd.foundation.errors import UserError


def split(raw: RawData, fold: int | None, **changes) -> Splits:
    options = {"val_fraction": 0.25, "test_fraction": 0.2, "split_seed": 5, "fold": fold}
    return prepare(raw, Splitting(**options | changes), name="pets")


def content(*parts: Images) -> Counter:
    return Counter(digest for part in parts for digest in part.digests())


@pytest.mark.parametrize("first", [0, 5])
def test_every_image_is_tested_once_and_never_learned_from_in_that_split(raw, first: int) -> None:
    laps = [split(raw, fold) for fold in range(first, first + 5)]
    assert content(*(each.test for each in laps)) == content(raw.train)
    assert max(content(raw.train).values()) == 1  # so that equal counts mean once
    for each in laps:
        assert content(*each.parts.values()) == content(raw.train)
        assert each.card.counts["test"] == (4,) * 4
    said = [note for each in laps for note in each.card.notes]
    assert [f"split {fold} of" in note for fold, note in enumerate(said, first)] == [True] * 5
    assert all("5 in a row" in note for note in said)


def test_folds_are_the_same_for_the_same_seed_and_all_different(raw) -> None:
    assert split(raw, 7).card == split(raw, 7).card
    assert split(raw, 7).card.sha256 != split(raw, 7, split_seed=6).card.sha256
    assert len({split(raw, fold).card.sha256 for fold in (None, *range(10))}) == 11
    assert content(split(raw, 2).test) != content(split(raw, 7).test)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"fold": -1}, "fold must be 0 or more, or null, got -1"),
        ({"test_fraction": 0.3}, "test_fraction must be 1/2, .* got 0.3"),
        ({"test_fraction": 0.34}, "test_fraction must be 1/2, .* got 0.34"),
        ({"test_fraction": 0.9}, "test_fraction must be 1/2, .* got 0.9"),
        ({"test_fraction": 0.999}, "test_fraction must be 1/2, .* got 0.999"),
        ({"test_fraction": None}, "test_fraction must be 1/2, .* got None"),
    ],
)
def test_a_share_that_gives_no_turns_is_refused(changes, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        Splitting(**{"val_fraction": 0.25, "test_fraction": 0.2, "fold": 0} | changes)


@pytest.mark.parametrize(("share", "turns"), [(0.5, 2), (0.33, 3), (0.1, 10)])
def test_a_share_that_is_nearly_one_of_several_gives_so_many_turns(
    share: float, turns: int
) -> None:
    assert Splitting(0.25, share, fold=0).folds == turns


def test_a_class_with_fewer_images_than_turns_is_refused(raw) -> None:
    with pytest.raises(UserError, match=r"class 'ant' has 20 .* needed: 25 .* in 25 turns"):
        split(raw, 0, test_fraction=0.04)


def test_images_that_were_given_for_test_are_tested_in_every_split(raw, make_images) -> None:
    published = replace(raw, test=make_images(per_class=2, seed=1))
    with pytest.raises(UserError, match=r"test images of its own.*data.splits to shared"):
        split(published, 0)
    with pytest.raises(UserError, match=r"test images of its own.*data.splits to shared"):
        Splitting(0.25, 0.2, fold=0).check(has_test=True)
    Splitting(0.25, fold=None).check(has_test=True)


def test_a_share_for_test_is_asked_for_before_images_are_read() -> None:
    with pytest.raises(UserError, match="test_fraction must be above 0 and below 1, got None"):
        Splitting(0.25).check(has_test=False)
    Splitting(0.25).check(has_test=None)


def test_a_split_of_several_is_named_by_its_number() -> None:
    assert Splitting(0.25, 0.2, fold=3).title("pets") == "pets, split 3"
    assert Splitting(0.25, 0.2).title("pets") == "pets"


class TestParameters:
    def test_every_seed_has_its_own_fold_and_its_own_draws(self) -> None:
        data = DataParameters(test_fraction=0.2, splits="per_seed", split_seed=3)
        splittings = [data.of_seed(seed).splitting() for seed in (0, 1)]
        assert [each.fold for each in splittings] == [0, 1]
        assert [each.drawn_by for each in splittings] == [3, 4]

    def test_shared_splits_are_those_of_every_seed(self) -> None:
        data = DataParameters(split_seed=3)
        assert data.of_seed(7) == data
        assert data.splitting().drawn_by == 3

    @pytest.mark.parametrize(
        ("changes", "complaint"),
        [
            ({"fold": 1}, "data.fold is 1.*data.splits"),
            ({"test_fraction": 0.3}, "test_fraction must be 1/2, .* got 0.3"),
        ],
    )
    def test_settings_that_contradict_each_other_are_refused(self, changes, complaint) -> None:
        with pytest.raises(UserError, match=complaint):
            DataParameters(**{"test_fraction": 0.2, "splits": "per_seed"} | changes)

    def test_a_benchmark_with_test_images_is_refused_before_it_is_fetched(self, tmp_path) -> None:
        given = {"name": "cifar10", "path": tmp_path / "raw", "download": True}
        DataParameters(**given).check()
        with pytest.raises(UserError, match=r"test images of its own.*data.splits to shared"):
            DataParameters(**given, splits="per_seed", test_fraction=0.2).check()
