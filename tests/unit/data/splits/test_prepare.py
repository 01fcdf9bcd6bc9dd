"""Splits are disjoint, stratified, and the same for the same seed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from hashlib import sha256

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sakd.data import ImageSet, RawData, Splits, Splitting, preparation_key, prepare
from sakd.data.batches.images import content_hash
from sakd.data.batches.normalise import channel_statistics
from sakd.data.pictures.form import Form
from sakd.data.pictures.preprocessing import preprocessing
from sakd.foundation.errors import UserError
from sakd.foundation.keys import facts_of


def split(raw: RawData, **changes) -> Splits:
    options = {"val_fraction": 0.25, "test_fraction": 0.25, "split_seed": 5}
    return prepare(raw, Splitting(**options | changes), name="pets")


def content(*sets: ImageSet) -> Counter:
    return Counter(
        (image.numpy().tobytes(), int(label))
        for part in sets
        for image, label in zip(part.images, part.labels, strict=True)
    )


@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.floats(0.1, 0.6), st.floats(0.1, 0.6), st.integers(0, 99))
def test_splits_are_disjoint_and_exhaustive(raw, val_fraction, test_fraction, seed) -> None:
    parts = split(raw, val_fraction=val_fraction, test_fraction=test_fraction, split_seed=seed)
    assert content(parts.train, parts.val, parts.test) == content(raw.train)
    assert max(content(raw.train).values()) == 1  # so that equal counts mean disjoint


def test_every_class_has_its_share_in_every_split(raw) -> None:
    counts = split(raw).card.counts
    assert counts == {"train": (11, 11, 11, 12), "val": (4, 4, 4, 3), "test": (5, 5, 5, 5)}


def test_splits_depend_on_the_seed_and_not_on_the_order_of_the_source(raw) -> None:
    shuffled = raw.train.subset(torch.randperm(80, generator=torch.Generator().manual_seed(9)))
    assert split(raw).card == split(replace(raw, train=shuffled)).card
    assert split(raw).card.sha256 != split(raw, split_seed=6).card.sha256


def test_published_test_images_are_all_kept_and_nothing_is_carved(raw, make_images) -> None:
    published = replace(raw, test=make_images(per_class=2, seed=1))
    parts = split(published, test_fraction=None)
    assert content(parts.test) == content(published.test)
    assert len(parts.train) == 60
    assert len(parts.val) == 20


def test_a_small_training_set_is_stratified_and_leaves_val_and_test_as_they_are(raw) -> None:
    whole, small = split(raw), split(raw, train_size=20)
    assert small.card.counts["train"] == (5,) * 4
    assert content(small.train) <= content(whole.train)
    assert content(small.val) == content(whole.val)
    assert content(small.test) == content(whole.test)
    assert content(split(raw, train_size=45).train) == content(whole.train)


def test_images_set_aside_are_in_no_other_split_and_leave_val_and_test_as_they_are(raw) -> None:
    whole, less = split(raw), split(raw, set_aside=0.2)
    assert whole.aside is None
    assert less.aside is not None
    assert less.card.counts["aside"] == (2, 2, 2, 3)
    assert content(less.train, less.aside) == content(whole.train)
    assert max(content(*less.parts.values()).values()) == 1
    assert (content(less.val), content(less.test)) == (content(whole.val), content(whole.test))
    assert (less.card.mean, less.card.std) == channel_statistics(less.train.images)
    assert less.card.sha256 == content_hash([less.train, less.val, less.test, less.aside])
    assert sum(map(sum, split(raw, train_size=20, set_aside=0.2).card.counts.values())) == 55


def test_no_image_set_aside_is_no_part_of_the_key() -> None:
    plain, other = Splitting(0.25), Splitting(0.25, set_aside=0.1)
    assert "set_aside" not in facts_of(plain)
    assert preparation_key("raw", plain) != preparation_key("raw", other)


def test_the_key_of_a_preparation_lasts() -> None:
    content = {
        "format": 3,
        "raw": "ee",
        "val_fraction": 0.25,
        "test_fraction": None,
        "train_size": None,
        "split_seed": 0,
        "duplicates": "drop",
    }
    expected = sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    assert preparation_key("ee", Splitting(0.25)) == expected


def test_the_card_tells_the_statistics_of_the_training_split_and_the_hash_of_all(raw) -> None:
    parts = split(raw)
    assert (parts.card.mean, parts.card.std) == channel_statistics(parts.train.images)
    assert parts.card.image_shape == (3, 8, 8)
    assert parts.card.sha256 == content_hash([parts.train, parts.val, parts.test])


@pytest.mark.parametrize("name", ["train", "val", "test", "aside"])
def test_every_split_has_a_hash_of_its_own(raw, make_images, name: str) -> None:
    parts = split(raw, set_aside=0.2)
    changed = replace(parts, **{name: make_images(per_class=2, seed=1)})
    before, after = parts.hashes(), changed.hashes()
    assert before.keys() == after.keys() == parts.parts.keys()
    assert [each for each in before if before[each] != after[each]] == [name]


def test_published_statistics_are_kept(raw) -> None:
    card = split(replace(raw, mean=(0.1, 0.2, 0.3), std=(1.0, 1.0, 1.0))).card
    assert (card.mean, card.std) == ((0.1, 0.2, 0.3), (1.0, 1.0, 1.0))


@pytest.mark.parametrize("published", [{"mean": (0.1, 0.2, 0.3)}, {"std": (1.0, 1.0, 1.0)}])
def test_statistics_of_which_a_half_is_published_are_computed(raw, published) -> None:
    parts = split(replace(raw, **published))
    assert (parts.card.mean, parts.card.std) == channel_statistics(parts.train.images)


def test_what_is_to_be_known_of_the_images_is_on_their_card(raw) -> None:
    told = replace(raw, notes=("cats are rare",), skipped=("a.png: cut off",))
    card = split(told).card
    assert (card.source, card.notes, card.skipped) == (raw.source, told.notes, told.skipped)
    assert split(told, test_fraction=0.25, fold=1).card.notes[0] == "cats are rare"


def test_a_class_of_which_a_published_split_has_no_image_is_counted(raw, make_images) -> None:
    published = replace(raw, test=make_images(per_class=2, classes=3, seed=1))
    assert split(published).card.counts["test"] == (2, 2, 2, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"val_fraction": 0.0}, "val_fraction .*above 0 and below 1.* 0.0"),
        ({"val_fraction": 1.0}, "val_fraction .*below 1.* 1.0"),
        ({"test_fraction": None}, "test_fraction .*above 0.* None"),
        ({"test_fraction": -0.1}, "test_fraction .*above 0.* -0.1"),
        ({"train_size": 3}, "train_size 3; .*4 to 45"),
        ({"train_size": 46}, "train_size 46; .*4 to 45"),
        ({"set_aside": 1.0}, r"set_aside must be .*below 1, got 1\.0"),
        ({"set_aside": -0.1}, r"set_aside must be 0 or more .* -0\.1"),
        ({"set_aside": 0.1, "train_size": 4}, "1 different image left; needed: 2 .*aside"),
    ],
)
def test_what_cannot_be_split_is_refused_with_what_is_allowed(raw, changes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        split(raw, **changes)


@pytest.mark.parametrize("fraction", [0.001, 0.999])
def test_no_class_is_absent_from_a_split_however_small_its_share(raw, fraction: float) -> None:
    shares = dict.fromkeys(("val_fraction", "test_fraction", "set_aside"), fraction)
    counts = split(raw, **shares).card.counts
    assert len(counts) == 4
    assert min(map(min, counts.values())) == 1


def test_a_class_with_too_few_images_for_all_splits_is_refused(raw) -> None:
    many, few = raw.train.labels != 2, (raw.train.labels == 2).nonzero()[:2, 0]
    rare = raw.train.subset(torch.cat([many.nonzero()[:, 0], few]))
    with pytest.raises(UserError, match=r"'cat' has 2 .*needed: 3 .*add"):
        split(replace(raw, train=rare))


@pytest.mark.parametrize(("share", "enough"), [(0.0, 3), (0.1, 4)])
def test_a_class_with_an_image_for_each_split_is_enough(raw, share: float, enough: int) -> None:
    many, few = raw.train.labels != 2, (raw.train.labels == 2).nonzero()[:enough, 0]
    rare = replace(raw, train=raw.train.subset(torch.cat([many.nonzero()[:, 0], few])))
    assert {counts[2] for counts in split(rare, set_aside=share).card.counts.values()} == {1}
    fewer = replace(raw, train=rare.train.subset(torch.arange(len(rare.train) - 1)))
    with pytest.raises(UserError, match=rf"'cat' has {enough - 1} .*needed: {enough} "):
        split(fewer, set_aside=share)


def test_a_single_image_of_val_is_enough(raw, make_images) -> None:
    one = make_images(per_class=1, seed=1).subset(torch.tensor([0]))
    assert len(split(replace(raw, val=one)).val) == 1


def test_the_card_tells_what_is_done_to_a_picture(raw) -> None:
    card = split(raw).card
    assert card.preprocessing == tuple(preprocessing(Form(3, 8, 8), card.mean, card.std))
    assert card.preprocessing


def test_splits_that_come_with_the_dataset_are_kept_whatever_the_fractions(
    raw, make_images
) -> None:
    own = replace(raw, val=make_images(per_class=3, seed=1), test=make_images(per_class=2, seed=2))
    parts = split(own)
    assert content(parts.train) == content(own.train)
    assert content(parts.val) == content(own.val)
    assert content(parts.test) == content(own.test)


def test_a_size_that_loses_a_rare_class_is_refused(raw) -> None:
    many, few = raw.train.labels != 2, (raw.train.labels == 2).nonzero()[:4, 0]
    rare = raw.train.subset(torch.cat([many.nonzero()[:, 0], few]))
    with pytest.raises(UserError, match=r"train_size 4 .*'cat'.* raise"):
        split(replace(raw, train=rare), train_size=4)
