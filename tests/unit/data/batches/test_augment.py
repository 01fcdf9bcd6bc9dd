"""Random crops and flips are those of torchvision."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tv

from sakd.data import Augment
from sakd.data.batches.augment import Canvas, View

PADDING = 2


@pytest.mark.parametrize("flip", [False, True])
def test_every_crop_equals_that_of_torchvision_exactly(make_images, flip: bool) -> None:
    images = make_images().images[:, :, :, :6]  # not square: rows and columns must not be mixed up
    offsets = torch.cartesian_prod(*[torch.arange(2 * PADDING + 1)] * 2)
    index = torch.arange(len(offsets)) + 10
    view = View(offsets[:, 0], offsets[:, 1], torch.full((len(offsets),), flip))
    crops = Canvas(images, PADDING).crop(index, view)
    for crop, image, (top, left) in zip(crops, images[index], offsets.tolist(), strict=True):
        expected = tv.crop(tv.pad(image, [PADDING]), top, left, 8, 6)
        assert torch.equal(crop, tv.horizontal_flip(expected) if flip else expected)


def test_flips_are_told_apart_within_a_batch(make_images) -> None:
    images = make_images().images
    flip = torch.tensor([True, False, True])
    zero = torch.zeros(3, dtype=torch.int64)
    crops = Canvas(images, 0).crop(torch.tensor([4, 4, 7]), View(zero, zero, flip))
    assert torch.equal(crops[0], images[4].flip(-1))
    assert torch.equal(crops[1], images[4])
    assert torch.equal(crops[2], images[7].flip(-1))


def test_all_offsets_and_flips_are_drawn_equally_often() -> None:
    side, count = 2 * PADDING + 1, 50_000
    view = Augment(PADDING, flip=True).draw(count, torch.Generator().manual_seed(0))
    kind = (view.top * side + view.left) * 2 + view.flip
    frequency = kind.bincount(minlength=2 * side**2)
    expected = count / (2 * side**2)
    assert len(frequency) == 2 * side**2
    assert (frequency - expected).abs().max() < 5 * expected**0.5


def test_views_come_as_often_as_with_the_transforms_of_torchvision() -> None:
    image, count = torch.arange(1, 10, dtype=torch.uint8).view(1, 3, 3), 3_000
    theirs = v2.Compose([v2.RandomCrop(3, padding=1), v2.RandomHorizontalFlip()])
    view = Augment(1, flip=True).draw(count, torch.Generator().manual_seed(0))
    ours = Canvas(image[None], 1).crop(torch.zeros(count, dtype=torch.int64), view)
    drawn = [
        Counter(tuple(x.flatten().tolist()) for x in each)
        for each in (ours, map(theirs, [image] * count))
    ]
    assert drawn[0].keys() == drawn[1].keys()
    assert len(drawn[0]) == 18
    spread = sum((drawn[0][x] - drawn[1][x]) ** 2 / (drawn[0][x] + drawn[1][x]) for x in drawn[0])
    assert spread < 40.8  # chi-square of 17 degrees of freedom: 1 in 1,000


def test_without_crop_and_flip_the_image_is_itself(make_images) -> None:
    images = make_images().images
    view = Augment().draw(len(images), torch.Generator().manual_seed(0))
    assert torch.equal(Canvas(images, 0).crop(torch.arange(len(images)), view), images)
