"""The shares of several teachers by hand, and what a system of teachers needs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch

from sakd.data import Batch
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork
from sakd.networks.zoo.resnet import resnet
from sakd.systems import SYSTEMS, Partner, Situation
from sakd.systems.parts.active_sets import shortest_mixture
from sakd.systems.parts.divergence import divergence
from sakd.systems.parts.targets import soft_cross_entropy
from sakd.systems.parts.weighted import divergences

Make = Callable[..., Any]

STUDENT = torch.tensor([[1.0, 0, -1], [0, 2, 0]], dtype=torch.float64)
TEACHERS = torch.tensor([[[2.0, 0, -2], [0, 1, 0]], [[1, 1, 0], [0, 3, 1]]], dtype=torch.float64)
SHARES = {
    "average": [[0.5, 0.5], [0.5, 0.5]],
    "ebkd": [[0.688603 / 2, 0.311397 / 2], [0.340074 / 2, 0.659926 / 2]],
    "camkd": [[0.803531 / 2, 0.196469 / 2], [0.333555 / 2, 0.666445 / 2]],
}


@pytest.fixture
def batch() -> Batch:
    """Two images, of the first and of the second class."""
    return Batch(torch.zeros(2, 3, 8, 8), torch.tensor([0, 1]), torch.arange(2), 0)


@pytest.fixture
def other_classes() -> StagedNetwork:
    """A teacher of four classes."""
    return resnet(4, depth=8, widths=(4, 4, 6, 8))


@pytest.mark.parametrize("name", SHARES)
def test_shares_by_hand(name: str, small_system: Make, batch: Batch) -> None:
    found = small_system(name).shares(STUDENT, TEACHERS, batch)
    expected = torch.tensor(SHARES[name], dtype=torch.float64)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_divergences_by_hand() -> None:
    expected = 4 * torch.tensor([[0.060269, 0.111824], [0.093425, 0.016954]], dtype=torch.float64)
    found = divergences(STUDENT, TEACHERS, 2.0)
    torch.testing.assert_close(found, expected, atol=5e-6, rtol=0)


def test_the_mean_of_two_teachers_by_hand() -> None:
    mean = TEACHERS.div(2.0).softmax(dim=2).mean(dim=1)
    softened = STUDENT.div(2.0).log_softmax(dim=1)
    assert float(divergences(STUDENT, TEACHERS, 2.0).mean() / 4) == pytest.approx(0.070618, 1e-5)
    assert float(soft_cross_entropy(softened, mean).mean()) == pytest.approx(1.040910, 1e-5)
    assert float(divergence(softened, mean.log())) == pytest.approx(0.007448, 1e-3)


def test_the_average_pulls_as_the_mean_of_probabilities_does() -> None:
    logits = STUDENT.clone().requires_grad_()
    target = TEACHERS.softmax(dim=2).mean(dim=1)
    ours = divergences(logits, TEACHERS, 1.0).mean()
    theirs = -(target * logits.log_softmax(dim=1)).sum(dim=1).mean()
    (one,), (other,) = (torch.autograd.grad(loss, logits) for loss in (ours, theirs))
    torch.testing.assert_close(one, other)


@pytest.mark.parametrize(
    ("vectors", "most", "expected"),
    [
        ([[1, 0], [0, 1]], 1.0, [0.5, 0.5]),
        ([[1, 0], [0, 2]], 1.0, [0.8, 0.2]),  # a = 0.8 minimises a^2 + 4 (1 - a)^2
        ([[1, 0], [0, 2]], 0.6, [0.6, 0.4]),
        ([[1, 0], [3, 0], [0, 2]], 1.0, [0.8, 0.0, 0.2]),
        ([[1, 0], [1, 0], [0, 1]], 1.0, [0.25, 0.25, 0.5]),  # equal vectors share alike
        ([[1, 0], [-1, 0]], 0.5, [0.5, 0.5]),
    ],
)
def test_the_shortest_mixture_by_hand(
    vectors: list[list[float]], most: float, expected: list[float]
) -> None:
    given = torch.tensor(vectors, dtype=torch.float64)
    found = shortest_mixture(given @ given.T, most)
    torch.testing.assert_close(
        found, torch.tensor(expected, dtype=torch.float64), atol=1e-6, rtol=0
    )


def test_no_other_mixture_within_the_bounds_is_shorter() -> None:
    source = torch.Generator().manual_seed(3)
    for count in (2, 3, 4):
        vectors = torch.randn(count, 5, generator=source, dtype=torch.float64)
        found = shortest_mixture(vectors @ vectors.T, 0.6)
        others = torch.rand(2000, count, generator=source, dtype=torch.float64)
        others = others / others.sum(dim=1, keepdim=True)
        others = others[others.max(dim=1).values <= 0.6]
        torch.testing.assert_close(found.sum(), torch.tensor(1.0, dtype=torch.float64))
        assert 0 <= found.min() <= found.max() <= 0.6
        assert (found @ vectors).norm() <= (others @ vectors).norm(dim=1).min()


def test_agreeing_gradients_count_alike_and_the_longer_one_less(
    small_system: Make, batch: Batch
) -> None:
    ahead = torch.tensor([[0.0, 1, 0], [0, 3, 0]], dtype=torch.float64)
    teachers = torch.stack([STUDENT + ahead, STUDENT + 2 * ahead], dim=1)
    near, far = small_system("aekd").shares(STUDENT, teachers, batch)[0]
    assert near > far > 0
    torch.testing.assert_close(near + far, torch.ones_like(near))


@pytest.mark.parametrize("later", [0, 1])
def test_features_of_camkd_count_from_the_second_epoch_on(
    later: int, small_system: Make, small_stream: Make
) -> None:
    system, stream = small_system("camkd"), small_stream(1)
    system.begin_epoch(later, 3, stream)
    terms = system(next(stream.epoch(0))).terms
    assert bool(terms["features"] > 0) == bool(later)


@pytest.mark.parametrize("name", [n for n, s in SYSTEMS.items() if s.partner is Partner.TEACHERS])
class TestSeveralTeachers:
    """Refusals of every system of several teachers."""

    def test_one_teacher_is_too_few(
        self, name: str, small_situation: Callable[..., Situation]
    ) -> None:
        situation, kind = small_situation(Partner.TEACHER), SYSTEMS[name]
        with pytest.raises(UserError, match=r"several teachers has 1: .*T1&T2/S"):
            kind.of(situation, kind.settings())

    def test_teachers_of_other_classes_are_refused(
        self,
        name: str,
        small_situation: Callable[..., Situation],
        other_classes: StagedNetwork,
    ) -> None:
        situation, kind = small_situation(Partner.TEACHERS), SYSTEMS[name]
        partners = (situation.partners[0], other_classes)
        with pytest.raises(UserError, match=r"student has 5 classes and the teacher 4"):
            kind.of(dataclasses.replace(situation, partners=partners), kind.settings())

    def test_the_order_of_the_images_does_not_count(
        self, name: str, small_system: Make, small_batch: Callable[..., Batch]
    ) -> None:
        batch, turned = small_batch(3), torch.arange(5, -1, -1)
        other = batch._replace(
            images=batch.images[turned], labels=batch.labels[turned], index=batch.index[turned]
        )
        one, two = (small_system(name)(given).losses["student"] for given in (batch, other))
        torch.testing.assert_close(one, two)


@pytest.mark.parametrize(
    ("name", "setting", "value", "match"),
    [
        ("average", "temperature", 0.0, "temperature must be above 0, got 0"),
        ("average", "kd_weight", -1.0, "kd_weight must not be negative: -1"),
        ("camkd", "feature_weight", -2.0, "feature_weight must not be negative: -2"),
        ("aekd", "bound", 1.5, r"bound .* at most 1, got 1\.5"),
        ("aekd", "bound", 0.4, r"bound 0\.4 is too low for 2 teachers.* 0\.5 or more"),
    ],
)
def test_settings_out_of_range_are_refused(
    name: str, setting: str, value: float, match: str, small_system: Make
) -> None:
    with pytest.raises(UserError, match=match):
        small_system(name, **{setting: value})
