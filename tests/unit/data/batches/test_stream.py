"""Batches are a function of seed, epoch and step, and hold every image once."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sakd.data import Augment, Batch, BatchStream, ImageSet, evaluation_batches
from sakd.data.batches.groups import Groups
from sakd.data.batches.stream import batch_sizes
from sakd.foundation.errors import UserError

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)


@pytest.fixture
def images(make_images) -> ImageSet:
    return make_images(per_class=10, classes=7)


def stream(
    images: ImageSet, seed: int = 3, batch_size: int = 16, aside: ImageSet | None = None
) -> BatchStream:
    augment = Augment(crop_padding=2, flip=True)
    options = {"batch_size": batch_size, "seed": seed, "augment": augment, "aside": aside}
    return BatchStream(images, MEAN, STD, **options)


def same(a: Batch, b: Batch) -> bool:
    drawn = [torch.rand(3, generator=batch.draws("test")) for batch in (a, b)]
    tensors = zip(a[:3], b[:3], strict=True)
    return all(torch.equal(x, y) for x, y in tensors) and torch.equal(*drawn)


def test_an_epoch_is_the_same_reached_directly_or_after_others(images) -> None:
    used = stream(images)
    for epoch in range(3):
        for batch in used.epoch(epoch):
            torch.rand(5, generator=batch.draws("policy"))
    pairs = zip(used.epoch(3), stream(images).epoch(3), strict=True)
    assert all(same(*pair) for pair in pairs)


@pytest.mark.parametrize(
    "how",
    [
        {"augment": Augment(crop_padding=2, flip=True)},
        {"augment": Augment(flip=True, views=2)},
        {"augment": Augment(cutout=3, mixup=0.4, cutmix=1.0)},
        {"groups": Groups(companions=2)},
    ],
    ids=["varied", "fixed", "mixed", "grouped"],
)
def test_an_epoch_begun_at_a_step_has_the_batches_of_the_whole_from_there_on(images, how) -> None:
    made = BatchStream(
        images, MEAN, STD, batch_size=16, seed=3, aside=images.subset(torch.arange(9)), **how
    )
    whole = list(made.epoch(2))
    assert [batch.step for batch in whole] == list(range(5))
    for start in range(1, 6):
        for batch, expected in zip(made.epoch(2, start), whole[start:], strict=True):
            assert batch.step == expected.step
            assert same(batch, expected)
            assert same(batch.aside, expected.aside)
            pairs = zip(batch.mixture or (), expected.mixture or (), strict=True)
            assert all(torch.equal(*pair) for pair in pairs)
            assert (batch.view is None) == (expected.view is None)
            assert batch.view is None or torch.equal(batch.view, expected.view)


def test_batches_do_not_depend_on_global_randomness(images) -> None:
    batches = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        batches.append(next(stream(images).epoch(0)))
    assert same(*batches)


def test_an_epoch_holds_every_image_once_and_the_last_batch_what_is_left(images) -> None:
    batches = list(stream(images).epoch(0))
    assert len(batches) == len(stream(images)) == 5
    assert [len(batch.labels) for batch in batches] == [16, 16, 16, 16, 6]
    assert sorted(torch.cat([batch.index for batch in batches]).tolist()) == list(range(70))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(2, 40), st.integers(1, 12))
def test_no_batch_has_one_image_unless_all_have(count: int, largest: int) -> None:
    sizes = batch_sizes(count, largest)
    assert sum(sizes) == count
    assert all(size == largest for size in sizes[:-1])
    assert sizes[-1] <= largest + 1
    assert largest == 1 or min(sizes) > 1
    pixels = torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1)
    few = ImageSet(pixels, torch.zeros(count, dtype=torch.int64))
    made = BatchStream(few, MEAN[:1], STD[:1], batch_size=largest, seed=0)
    batches = list(made.epoch(1))
    assert [len(batch.labels) for batch in batches] == sizes
    assert len(made) == len(sizes)
    assert sorted(torch.cat([batch.index for batch in batches]).tolist()) == list(range(count))


@pytest.mark.parametrize("count", [5, 9])
def test_a_network_with_maps_of_one_pixel_trains_on_every_batch(make_images, count: int) -> None:
    norm = torch.nn.BatchNorm2d(3)
    images = make_images(per_class=count, classes=1, size=1)
    for batch in BatchStream(images, MEAN, STD, batch_size=4, seed=0).epoch(0):
        norm(batch.images)
    assert norm.num_batches_tracked == count // 4


def test_labels_and_images_are_those_of_the_index(images) -> None:
    plain = BatchStream(images, MEAN, STD, batch_size=70, seed=0)
    (batch,) = plain.epoch(0)
    assert torch.equal(batch.labels, images.labels[batch.index])
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    expected = (images.images[batch.index] / 255 - mean) / std
    torch.testing.assert_close(batch.images, expected, rtol=0, atol=1e-5)


def test_padding_is_black_before_normalising(images) -> None:
    views = torch.cat([batch.images for batch in stream(images).epoch(0)])
    black = -torch.tensor(MEAN) / torch.tensor(STD)
    framed = (views[:, :, 0] - black.view(3, 1)).abs().amax((1, 2)) < 1e-6
    assert 0.2 < framed.float().mean() < 0.6  # tops 0 and 1 of the five


def test_epochs_and_seeds_differ_in_order_and_view(images) -> None:
    first = next(stream(images).epoch(0))
    for other in (next(stream(images).epoch(1)), next(stream(images, seed=4).epoch(0))):
        assert not torch.equal(first.index, other.index)
        assert not torch.equal(first.images, other.images)
        assert first.seed != other.seed


def test_steps_of_an_epoch_have_seeds_of_their_own(images) -> None:
    seeds = {batch.seed for batch in stream(images).epoch(0)}
    assert len(seeds) == 5


def test_images_set_aside_come_along_and_leave_the_batches_as_they_are(images, make_images) -> None:
    others = make_images(per_class=5, classes=4, seed=1)
    alone, along = list(stream(images).epoch(1)), list(stream(images, aside=others).epoch(1))
    assert all(same(*pair) for pair in zip(alone, along, strict=True))
    assert all(batch.aside is None for batch in alone)
    asides = [batch.aside for batch in along]
    assert [len(aside.images) for aside in asides] == [len(batch.images) for batch in along]
    index = torch.cat([aside.index for aside in asides])
    assert torch.equal(torch.cat([aside.labels for aside in asides]), others.labels[index])
    for number in range(3):  # rounds of 20 in an epoch of 70
        assert sorted(index[20 * number :][:20].tolist()) == list(range(20))
    again = [batch.aside for batch in stream(images, aside=others).epoch(1)]
    assert all(same(*pair) for pair in zip(asides, again, strict=True))
    assert not torch.equal(index[:20], index[20:40])


def test_images_set_aside_are_varied_as_the_others(images, make_images) -> None:
    augment = Augment(crop_padding=2, mixup=0.3, cutout=2)
    others = make_images(per_class=5, classes=4, seed=1)
    options = {"batch_size": 16, "seed": 0, "augment": augment, "aside": others}
    first, *_ = BatchStream(images, MEAN, STD, **options).epoch(0)
    assert first.aside.mixture is not None
    assert not torch.equal(first.aside.mixture.share, first.mixture.share)
    asides = [batch.aside for batch in stream(images, aside=others).epoch(0)]
    index, shown = (torch.cat([getattr(a, n) for a in asides]) for n in ("index", "images"))
    first, second, *_ = shown[index == 0]
    assert not torch.equal(first, second)


def test_more_images_set_aside_than_there_are_others_take_turns(images) -> None:
    few = images.subset(torch.arange(5))
    made = stream(few, aside=images)
    seen = [torch.cat([b.aside.index for b in made.epoch(n)]).tolist() for n in range(2)]
    assert [len(set(each)) for each in seen] == [5, 5]
    assert seen[0] != seen[1]


@pytest.mark.parametrize(
    ("size", "count", "message"),
    [(0, 70, "batch_size .* 0$"), (4, 0, "0 images; needed: 2"), (4, 1, "1 image; needed: 2")],
)
def test_no_batches_are_an_error(images, size: int, count: int, message: str) -> None:
    with pytest.raises(UserError, match=message):
        stream(images.subset(torch.arange(count)), batch_size=size)


def test_evaluation_sees_every_image_once_in_order_and_unchanged(images) -> None:
    batches = list(evaluation_batches(images, MEAN, STD, batch_size=32))
    assert [len(labels) for _, labels in batches] == [32, 32, 6]
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    pixels = torch.cat([batch for batch, _ in batches]) * std + mean
    assert torch.equal(pixels.mul(255).round().to(torch.uint8), images.images)
    assert torch.equal(torch.cat([labels for _, labels in batches]), images.labels)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_sees_the_same_images(images) -> None:
    augment = Augment(crop_padding=2, flip=True)
    options = {"batch_size": 16, "seed": 3, "augment": augment, "device": "cuda"}
    on_gpu = BatchStream(images, MEAN, STD, **options)
    for ours, theirs in zip(stream(images).epoch(2), on_gpu.epoch(2), strict=True):
        assert torch.equal(ours.index, theirs.index.cpu())
        torch.testing.assert_close(ours.images, theirs.images.cpu())
        assert theirs.draws("test").device.type == "cuda"
