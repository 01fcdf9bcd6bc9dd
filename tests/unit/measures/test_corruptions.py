"""Corruptions change images of every size, always in the same way, and nothing else."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from sakd.data import ImageSet, Prepared, Splits
from sakd.measures import CORRUPTIONS, predict, robustness
from sakd.measures.corruptions import corrupted
from sakd.study.networks import fresh_network
from sakd.tasks import CLASSIFICATION

SHAPES = [(1, 8, 8), (3, 32, 24), (4, 5, 7), (3, 2, 2), (1, 1, 1)]
MEAN, STD = (0.2, 0.4, 0.5, 0.6), (0.5, 0.25, 0.3, 0.2)


def pixels(shape: tuple[int, int, int]) -> Tensor:
    return torch.rand(6, *shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_each_gives_images_of_the_same_shape_within_black_and_white(
    shape: tuple[int, int, int],
) -> None:
    mean, std = (torch.tensor(each[: shape[0]]).view(-1, 1, 1) for each in (MEAN, STD))
    images = (pixels(shape) - mean) / std
    found = dict(corrupted(images, MEAN[: shape[0]], STD[: shape[0]]))
    assert list(found) == list(CORRUPTIONS)
    for name, changed in found.items():
        assert changed.shape == images.shape
        shown = changed * std + mean
        torch.testing.assert_close(shown, CORRUPTIONS[name](pixels(shape)).clamp(0, 1))
        assert shown.min() >= -1e-6
        assert shown.max() <= 1 + 1e-6


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_it_changes_every_image_by_itself_and_the_same_way_again(name: str) -> None:
    change, before = CORRUPTIONS[name], pixels((3, 16, 16))
    after = change(before)
    assert torch.equal(change(before), after)
    assert ((after - before).abs().amax(dim=(1, 2, 3)) > 0.01).all()
    if name != "noise":
        torch.testing.assert_close(change(before[2:4]), after[2:4])


def test_their_meaning_by_hand() -> None:
    before = pixels((1, 8, 8))
    mean = before[2].mean()
    torch.testing.assert_close(CORRUPTIONS["brightness"](before), before + 0.2)
    torch.testing.assert_close(CORRUPTIONS["contrast"](before)[2], 0.4 * before[2] + 0.6 * mean)
    blocks = CORRUPTIONS["pixelation"](before)
    torch.testing.assert_close(blocks[:, :, 0::2, 0::2], blocks[:, :, 1::2, 1::2])
    assert len(blocks[0, 0, 0].unique()) == len(blocks[0, 0, :, 0].unique()) == 4
    added = CORRUPTIONS["noise"](before) - before
    assert float(added.std()) == pytest.approx(0.1, rel=0.1)
    for name in ("blur", "rotation"):  # what is flat stays flat, but for the corners
        flat = CORRUPTIONS[name](torch.full((1, 1, 32, 32), 0.5))
        torch.testing.assert_close(flat[..., 8:24, 8:24], torch.full((1, 1, 16, 16), 0.5))


@pytest.mark.parametrize(("side", "reach"), [(9, 2), (33, 3)])
def test_a_blur_is_gaussian_and_ends_after_two_deviations(side: int, reach: int) -> None:
    spike, centre = torch.zeros(1, 1, side, side), side // 2
    spike[0, 0, centre, centre] = 1
    blurred = CORRUPTIONS["blur"](spike)
    assert float(blurred.sum()) == pytest.approx(1)
    middle, beside, *_ = row = blurred[0, 0, centre, centre:].tolist()
    sigma = 0.5 + side / 64
    assert beside / middle == pytest.approx(math.exp(-0.5 / sigma**2))
    assert sum(value > 0 for value in row) == 1 + reach == 1 + math.ceil(2 * sigma)


def test_the_shorter_side_decides_how_much_is_blurred() -> None:
    spike = torch.zeros(1, 1, 33, 9)
    spike[0, 0, 16, 4] = 1
    middle, beside = CORRUPTIONS["blur"](spike)[0, 0, 16, 4:6].tolist()
    assert beside / middle == pytest.approx(math.exp(-0.5 / (0.5 + 9 / 64) ** 2))


def test_a_pixel_counts_by_its_distance_from_the_large_one() -> None:
    spike = torch.zeros(1, 1, 8, 12)
    spike[0, 0, 3, 6] = 1
    # A triangle that reaches over two pixels to either side of the middle of the large one.
    near, far = 1.5 / 4, 0.5 / 4
    expected = torch.outer(torch.tensor([0, near, far, 0]), torch.tensor([0, 0, far, near, 0, 0]))
    torch.testing.assert_close(CORRUPTIONS["pixelation"](spike)[0, 0, ::2, ::2], expected)
    small = pixels((1, 2, 3))
    assert len(CORRUPTIONS["pixelation"](small)[0].unique()) == 1


def test_images_turn_by_15_degrees() -> None:
    away, around = 12, torch.arange(33) - 16.0
    spot = torch.zeros(1, 1, 33, 33)
    spot[0, 0, 15:18, 16 + away - 1 : 16 + away + 2] = 1
    turned = CORRUPTIONS["rotation"](spot)[0, 0] / 9
    assert float(turned.sum()) == pytest.approx(1, abs=0.05)
    down, right = float(turned.sum(1) @ around), float(turned.sum(0) @ around)
    assert math.degrees(math.atan2(-down, right)) == pytest.approx(15, abs=0.5)


def test_robustness_is_the_accuracy_on_the_changed_images(splits: Splits) -> None:
    source = torch.Generator().manual_seed(1)
    images = torch.randint(256, (90, 1, 8, 8), dtype=torch.uint8, generator=source)
    data = Prepared(ImageSet(images, torch.randint(3, (90,), generator=source)), splits.card)
    network = fresh_network("resnet8", data.card)
    plain = predict(CLASSIFICATION, network, data)
    answers = predict(CLASSIFICATION, network, data, corrupt=True)
    assert torch.equal(answers.logits, plain.logits)
    assert not plain.corrupted
    assert robustness(plain) == {}
    found = robustness(answers)
    seen = (images / 255 - data.card.mean[0]) / data.card.std[0]
    for name, changed in corrupted(seen, data.card.mean, data.card.std):
        with torch.no_grad():
            right = network(changed).argmax(dim=1) == data.images.labels
        # A rounding may decide between two classes that are equally likely.
        assert found[f"corrupted_{name}"] == pytest.approx(float(right.double().mean()), abs=0.03)
    mean = sum(found[f"corrupted_{name}"] for name in CORRUPTIONS) / len(CORRUPTIONS)
    assert found["corrupted"] == pytest.approx(mean)
