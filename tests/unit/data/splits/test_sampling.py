"""Shares are proportional, and every image is as likely to be drawn."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sakd.data import ImageSet, labelled_subset
from sakd.data.splits.sampling import draw_per_class, folds, proportional
from sakd.foundation.errors import UserError


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=8).filter(any), st.floats(0, 1))
def test_shares_are_proportional_to_within_one_and_exact_in_sum(counts, fraction) -> None:
    size = int(fraction * sum(counts))
    quota = proportional(torch.tensor(counts), size).tolist()
    assert sum(quota) == size
    for count, share in zip(counts, quota, strict=True):
        assert abs(share - count * size / sum(counts)) < 1
        assert share <= count


def test_each_class_gives_its_quota_of_distinct_positions() -> None:
    labels = torch.tensor([2, 0, 1, 2, 2, 0, 1, 2])
    index = draw_per_class(labels, torch.tensor([1, 0, 3]), torch.Generator().manual_seed(0))
    assert index.tolist() == sorted(set(index.tolist()))
    assert Counter(labels[index].tolist()) == {0: 1, 2: 3}


def test_every_image_of_a_class_is_drawn_equally_often() -> None:
    labels, quota = torch.tensor([0, 0, 0, 0, 1]), torch.tensor([2, 0])
    source = torch.Generator().manual_seed(0)
    drawn = torch.cat([draw_per_class(labels, quota, source) for _ in range(2000)]).bincount()
    assert (drawn - 1000).abs().max() < 5 * 500**0.5


def test_a_student_gets_as_many_labelled_images_of_each_class_as_said(make_images) -> None:
    train = make_images(per_class=9)
    subset = labelled_subset(train, 5, seed=1)
    assert subset.labels.bincount().tolist() == [5] * 4
    originals = {(image.numpy().tobytes(), int(label)) for image, label in pairs(train)}
    assert {(image.numpy().tobytes(), int(label)) for image, label in pairs(subset)} < originals


def pairs(images: ImageSet) -> zip:
    return zip(images.images, images.labels, strict=True)


def test_the_labelled_images_depend_on_the_seed_alone(make_images) -> None:
    train = make_images()
    first, again, other = (labelled_subset(train, 5, seed).images for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_no_number_means_all_images(make_images) -> None:
    train = make_images()
    assert labelled_subset(train, None, seed=1) is train


@pytest.mark.parametrize("sizes", [(3, 5, 0, 4), (1, 5), (2, 2, 9)])
def test_the_scarcest_class_that_is_there_says_how_many_are_allowed(sizes: list[int]) -> None:
    labels = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    train = ImageSet(torch.zeros(len(labels), 1, 1, 1, dtype=torch.uint8), labels)
    scarcest = min(filter(None, sizes))
    for allowed in {1, scarcest}:
        counts = labelled_subset(train, allowed, seed=1).labels.bincount(minlength=len(sizes))
        assert counts.tolist() == [min(size, allowed) for size in sizes]
    with pytest.raises(UserError, match=f"{scarcest + 1} .*allowed: 1 to {scarcest}"):
        labelled_subset(train, scarcest + 1, seed=1)


@pytest.mark.parametrize("per_class", [0, 21])
def test_more_images_than_the_scarcest_class_has_are_refused(make_images, per_class: int) -> None:
    with pytest.raises(UserError, match=f"{per_class} .*student_per_class.* 1 to 20"):
        labelled_subset(make_images(), per_class, seed=1)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(1, 7))
def test_folds_are_of_one_size_and_each_has_its_share_of_every_class(classes, count) -> None:
    labels = torch.tensor(classes)
    parts = folds(labels, count, torch.Generator().manual_seed(0))
    for chosen in (labels >= 0, *(labels == name for name in range(5))):
        sizes = parts[chosen].bincount(minlength=count)
        assert len(sizes) == count
        assert sizes.max() - sizes.min() <= 1


def test_folds_depend_on_the_seed_alone() -> None:
    labels = torch.arange(60) % 3
    one, same, other = (folds(labels, 4, torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
