"""Noise of the size of a dataset stands in for images that are not there yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from sakd.data import DATASETS, Splitting, noise, open_dataset, prepare
from sakd.data.sources.base import Outline


@pytest.mark.parametrize("name", ["digits", "cifar10", "cifar100", "tiny_imagenet"])
def test_the_size_of_a_benchmark_is_known(name: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {} if name == "digits" else {"path": tmp_path / "nowhere"}
    assert open_dataset(name, **options).outline() is not None


@pytest.mark.parametrize("name", ["folder", "parquet", "imagenet"])
def test_the_size_of_a_folder_is_not(name: str, tmp_path: Path) -> None:
    assert DATASETS[name](path=tmp_path, source=DATASETS[name].sources[0]).outline() is None


@pytest.mark.parametrize(("train_size", "set_aside"), [(None, 0.0), (500, 0.2)])
def test_noise_is_as_large_as_the_splits(train_size: int | None, set_aside: float) -> None:
    digits = open_dataset("digits")
    splitting = Splitting(0.2, 0.2, train_size, set_aside=set_aside)
    real = prepare(digits.load(), splitting, name="digits")
    outline = digits.outline()
    assert outline is not None
    made = noise(outline, splitting, name="digits")
    assert made.parts.keys() == real.parts.keys()
    for split, one in made.parts.items():
        other = real.parts[split]
        assert len(one) == pytest.approx(len(other), abs=1)
        assert one.shape == other.shape
        assert set(one.labels.tolist()) == set(other.labels.tolist())
        assert sum(made.card.counts[split]) == len(one)
    assert (made.card.name, made.card.classes) == ("digits", real.card.classes)


def test_a_share_of_next_to_nothing_is_an_image() -> None:
    digits = open_dataset("digits")
    outline = digits.outline()
    assert outline is not None
    made = noise(outline, Splitting(1e-9, 1e-9), name="digits")
    assert (len(made.train), len(made.val), len(made.test)) == (1797, 1, 1)


def test_published_test_images_stay_apart(tmp_path: Path) -> None:
    outline = open_dataset("tiny_imagenet", tmp_path).outline()
    assert outline is not None
    made = noise(outline, Splitting(0.1), name="tiny_imagenet")
    assert (len(made.train), len(made.val), len(made.test)) == (90_000, 10_000, 10_000)


def test_the_card_of_few_images_of_many_classes_counts_all_classes() -> None:
    card = noise(Outline(10, (1, 2, 2), 40, 5), Splitting(0.1), name="few").card
    card.check()
    assert card.without_images("val") == list("456789")
    assert card.without_images("test") == list("56789")


def test_noise_is_the_same_whenever_it_is_made() -> None:
    outline = Outline(3, (1, 2, 2), 40, 5)
    one, other = (noise(outline, Splitting(0.1), name="made").hashes() for _ in range(2))
    assert one == other


def test_the_images_differ_and_share_their_memory(tmp_path: Path) -> None:
    outline = open_dataset("cifar100", tmp_path).outline()
    assert outline is not None
    images = noise(outline, Splitting(0.1), name="cifar100").train.images
    assert not torch.equal(images[0], images[1])
    assert images.untyped_storage().nbytes() < 2 * len(images)
