"""Cutout, mixup and cutmix follow their papers, and change labels in the same shares."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy, one_hot
from torchvision.transforms import v2

from sakd.data import Augment, BatchStream
from sakd.data.batches.mixing import Mixer, cut_out
from sakd.foundation.errors import UserError
from sakd.tasks import CLASSIFICATION

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(1, 9), st.integers(0, 2**31))
def test_cutout_blanks_one_square_that_may_stick_out(side: int, seed: int) -> None:
    source = torch.Generator().manual_seed(seed)
    twin = torch.Generator().manual_seed(seed)
    hidden = cut_out(torch.ones(6, 2, 7, 8), side, source) == 0
    rows, columns = (torch.randint(size, (6, 1), generator=twin) for size in (7, 8))
    for image, row, column in zip(hidden, rows.flatten(), columns.flatten(), strict=True):
        top, left = max(0, int(row) - side // 2), max(0, int(column) - side // 2)
        expected = torch.zeros(7, 8, dtype=torch.bool)
        expected[top : int(row) - side // 2 + side, left : int(column) - side // 2 + side] = True
        assert torch.equal(image, expected.expand(2, 7, 8))


def test_the_centres_of_cutout_are_uniform() -> None:
    count, size = 40_000, 5
    source = torch.Generator().manual_seed(0)
    hidden = cut_out(torch.ones(count, 1, size, size), 1, source) == 0
    frequency = hidden.sum(0).flatten().double()
    expected = count / size**2
    assert (frequency - expected).abs().max() < 5 * expected**0.5


def test_mixup_is_the_stated_share_of_image_and_partner() -> None:
    images, labels = torch.randn(6, 3, 5, 5), torch.arange(6)
    mixed, mixture = Mixer(Augment(mixup=1.0))(images, labels, 7)
    assert mixture is not None
    expected = mixture.share * images + (1 - mixture.share) * images[mixture.partner]
    torch.testing.assert_close(mixed, expected)
    assert sorted(mixture.partner.tolist()) == labels.tolist()


def test_cutmix_shows_a_rectangle_of_the_partner_of_the_stated_area() -> None:
    images = torch.arange(5.0).view(5, 1, 1, 1).expand(5, 1, 8, 9).contiguous()
    for seed in range(20):
        mixed, mixture = Mixer(Augment(cutmix=1.0))(images, torch.arange(5), seed)
        assert mixture is not None
        foreign = mixed[0] != images[0]
        if mixture.partner[0] == 0:
            continue
        assert math.isclose(foreign.float().mean(), 1 - mixture.share, abs_tol=1e-6)
        rows, columns = foreign[0].any(1).nonzero(), foreign[0].any(0).nonzero()
        if len(rows):
            box = foreign[0, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
            assert bool(box.all())
        assert set(mixed[0].unique().tolist()) <= {0.0, float(mixture.partner[0])}


def test_the_share_of_mixup_follows_beta() -> None:
    images, labels = torch.zeros(2, 1, 1, 1), torch.arange(2)
    shares = []
    for seed in range(400):
        _, mixture = Mixer(Augment(mixup=0.4))(images, labels, seed)
        assert mixture is not None
        shares.append(float(mixture.share))
    found = torch.tensor(shares)
    assert abs(found.mean() - 0.5) < 0.06
    assert abs(found.var() - 1 / (4 * (2 * 0.4 + 1))) < 0.03  # of Beta(a, a): 1 / (4 (2a + 1))


def test_a_fair_coin_chooses_between_mixup_and_cutmix() -> None:
    images, labels = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, 1, 6, 6), torch.arange(2)
    mixer, blended, count = Mixer(Augment(mixup=1.0, cutmix=1.0)), 0, 400
    for seed in range(2 * count):
        mixed, mixture = mixer(images, labels, seed)
        assert mixture is not None
        if mixture.partner[0] == 1:  # else they are mixed with themselves
            blended += bool(((mixed > 0) & (mixed < 1)).any())
    assert abs(blended - count / 2) < 3 * (count / 4) ** 0.5


def test_the_shares_of_cutmix_are_spread_as_those_of_torchvision() -> None:
    images, labels, count = torch.zeros(2, 1, 8, 12), torch.arange(2), 1_500
    mixer, theirs = Mixer(Augment(cutmix=1.0)), v2.CutMix(alpha=1.0, num_classes=2)
    ours = [mixer(images, labels, seed)[1] for seed in range(count)]
    expected = [theirs.make_params([images])["lam_adjusted"] for _ in range(count)]
    found = [float(mixture.share) for mixture in ours if mixture is not None]
    assert len(found) == count
    bins = [torch.histc(torch.tensor(x), 10, min=0, max=1.001) for x in (found, expected)]
    assert float(((bins[0] - bins[1]) ** 2 / (bins[0] + bins[1])).nansum()) < 27.9  # 1 in 1,000


def test_without_mixing_nothing_is_touched() -> None:
    images = torch.randn(3, 1, 2, 2)
    mixed, mixture = Mixer(Augment())(images, torch.arange(3), 0)
    assert mixed is images
    assert mixture is None


def test_an_epoch_is_mixed_alike_reached_directly_or_after_others(make_images) -> None:
    augment = Augment(flip=True, cutout=3, mixup=0.2, cutmix=1.0)
    used, direct = (
        BatchStream(make_images(), MEAN, STD, batch_size=16, seed=3, augment=augment)
        for _ in range(2)
    )
    list(used.epoch(0))
    shares = set()
    for one, other in zip(used.epoch(1), direct.epoch(1), strict=True):
        assert torch.equal(one.images, other.images)
        assert one.mixture is not None
        assert other.mixture is not None
        assert torch.equal(one.mixture.partner, other.mixture.partner)
        shares.add(float(one.mixture.share))
    assert len(shares) > 2


def test_the_loss_is_that_of_labels_in_the_same_shares(make_images) -> None:
    augment = Augment(mixup=1.0)
    stream = BatchStream(make_images(), MEAN, STD, batch_size=8, seed=0, augment=augment)
    batch = next(stream.epoch(0))
    assert batch.mixture is not None
    logits = torch.randn(8, 4)
    share = batch.mixture.share
    target = share * one_hot(batch.labels, 4) + (1 - share) * one_hot(batch.mixture.partner, 4)
    torch.testing.assert_close(CLASSIFICATION.loss(logits, batch), cross_entropy(logits, target))


@pytest.mark.parametrize("name", ["crop_padding", "cutout", "mixup", "cutmix", "rand_augment"])
def test_less_than_nothing_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"{name} .*0.* or more.* -1"):
        Augment(**{name: -1})
