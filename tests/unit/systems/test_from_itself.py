"""Learning from labels alone and from one's earlier answers: bounds, and where gradients flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy, softmax

from sakd.data import Batch
from sakd.data.batches.mixing import Mixture
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork
from sakd.networks.averaged import Averaged
from sakd.objectives import Supervised
from sakd.systems import SYSTEMS, Partner, Situation
from sakd.systems.beta_smoothing import by_rank, targets
from sakd.systems.parts.targets import soft_cross_entropy
from sakd.systems.tfkd_reg import hand_written

Make = Callable[..., Any]
Z_S = torch.tensor([[1.0, 0.0, -1.0], [0.0, 2.0, 1.0]], dtype=torch.float64)
Z_T = torch.tensor([[2.0, 1.0, 0.0], [1.0, 1.0, 3.0]], dtype=torch.float64)
LABELS = torch.tensor([0, 2])


def test_the_loss_on_soft_targets_by_hand() -> None:
    assert soft_cross_entropy(Z_S, softmax(Z_T / 2, dim=1)).mean() == pytest.approx(1.247528, 1e-6)


def test_the_hand_written_teacher_is_almost_even() -> None:
    found = hand_written(torch.empty(2, 10), LABELS, 20.0).exp()
    assert found[0, 0] == pytest.approx(0.1045, abs=5e-5)
    assert found[0, 1] == pytest.approx(0.0995, abs=5e-5)


def test_the_surest_image_has_the_largest_draw() -> None:
    chances = torch.tensor([[0.1, 0.9], [0.3, 0.7], [0.8, 0.2]])
    drawn = torch.tensor([0.5, 0.9, 0.7])
    found = by_rank(drawn, chances, torch.tensor([0, 1, 1]))
    assert found.tolist() == pytest.approx([0.5, 0.9, 0.7])
    made = targets(found, torch.tensor([0, 1, 2]), 3)
    assert made.sum(dim=1).tolist() == pytest.approx([1, 1, 1])
    assert made[1].tolist() == pytest.approx([0.05, 0.9, 0.05])


@pytest.mark.parametrize("name", ["tfkd_reg", "tfkd_self", "instance_smoothing", "beta_smoothing"])
def test_without_weight_it_is_the_student_alone(
    name: str, small_system: Make, small_network: Make, small_batch: Make
) -> None:
    batch = small_batch(3)
    system, alone = small_system(name, alpha=0.0), Supervised(small_network(0))
    assert torch.equal(system(batch).losses["student"], alone(batch).losses["student"])


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("tfkd_reg", "alpha", 1.5),
        ("tfkd_self", "temperature", 0.0),
        ("tfkd_self", "multiplier", -1.0),
        ("instance_smoothing", "alpha", -0.1),
        ("beta_smoothing", "concentration", 0.0),
        ("beta_smoothing", "decay", 1.0),
    ],
)
def test_settings_have_bounds(name: str, setting: str, value: float) -> None:
    with pytest.raises(UserError, match=f"{setting} .*{value}"):
        SYSTEMS[name].settings(**{setting: value})


@pytest.mark.parametrize("name", ["tfkd_self", "instance_smoothing"])
def test_another_network_is_no_earlier_self(
    name: str, small_situation: Callable[..., Situation]
) -> None:
    kind = SYSTEMS[name]
    with pytest.raises(UserError, match=r"parameters\) is another network .*twice"):
        kind.of(small_situation(Partner.TEACHER), kind.settings())


def test_the_average_is_the_plain_mean_until_its_decay(small_network: Make) -> None:
    copy: StagedNetwork = small_network(0)
    first = [p.detach().clone() for p in copy.parameters()]
    averaged, one, two = Averaged(copy, 0.999), small_network(1), small_network(2)
    statistics = {name: value.clone() for name, value in copy.named_buffers()}
    averaged.follow(one)
    averaged.follow(two)
    every = zip(first, one.parameters(), two.parameters(), copy.parameters(), strict=True)
    for a, b, c, found in every:
        torch.testing.assert_close(found, (a + b + c) / 3)
        assert not found.requires_grad
    assert all(torch.equal(statistics[name], value) for name, value in copy.named_buffers())
    at_once = Averaged(small_network(3), 0.0)
    at_once.follow(one)
    for found, present in zip(at_once.network.parameters(), one.parameters(), strict=True):
        torch.testing.assert_close(found, present)


def test_beta_smoothing_ranks_by_an_average_with_statistics_of_its_own(
    small_system: Make, small_batch: Callable[..., Batch]
) -> None:
    system, batch = small_system("beta_smoothing"), small_batch(3)
    before = {name: value.clone() for name, value in system.copy.named_buffers()}
    system(batch)
    after = dict(system.copy.named_buffers())
    assert any(not torch.equal(before[name], after[name]) for name in before)
    judged = torch.randn(6, 5)
    drawn = system.draws(batch, judged)
    assert torch.equal(drawn, system.draws(batch, judged))
    own = softmax(judged, dim=1).gather(1, batch.labels[:, None])[:, 0]
    assert torch.equal(drawn.argsort(), own.argsort())
    wide = batch._replace(labels=torch.zeros(20_000, dtype=torch.int64))
    many = system.draws(wide, torch.randn(20_000, 5, dtype=torch.float64))
    assert many.mean() == pytest.approx(3 / 4, abs=0.005)  # Beta(3, 1): mean a / (a + 1)


def test_both_labels_of_a_mixed_image_have_a_teacher(
    small_system: Make, small_batch: Callable[..., Batch]
) -> None:
    batch, logits = small_batch(3), torch.randn(6, 5)
    partner = (batch.labels + 1) % 5
    mixed = batch._replace(mixture=Mixture(partner, torch.tensor(0.3)))
    system = small_system("tfkd_reg")
    both, own, other = (
        system.terms(one, [logits])["teacher_free"].loss
        for one in (mixed, batch, batch._replace(labels=partner))
    )
    torch.testing.assert_close(both, 0.3 * own + 0.7 * other)
    plain = system.terms(mixed, [logits])["cross_entropy"].loss
    expected = 0.3 * cross_entropy(logits, batch.labels) + 0.7 * cross_entropy(logits, partner)
    torch.testing.assert_close(plain, expected)
