"""Teachers of different classes: joined logits, discrepancies by hand, what is detached."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.foundation.errors import UserError
from sakd.networks import Chain, StagedNetwork
from sakd.networks.ensemble import Ensemble, members_of, parts_of
from sakd.systems import SYSTEMS, Partner, Situation
from sakd.systems.cfl import BANDWIDTHS, discrepancy
from sakd.systems.layerwise_ka import Block, common_stages
from sakd.systems.parts.amalgam import same_size
from sakd.systems.parts.divergence import divergence
from sakd.training import Run

IMAGE, CLASSES = (3, 8, 8), 5
NAMES = ("joined_kd", "layerwise_ka", "cfl")

Make = Callable[..., Any]


@pytest.fixture
def situation(small_situation: Callable[..., Situation]) -> Situation:
    """Teachers of classes 0, 2 and 4, and of 3 and 1."""
    return small_situation(Partner.PARTS)


def test_logits_are_joined_in_the_order_of_the_students_classes(
    small_system: Make, situation: Situation
) -> None:
    system = small_system("joined_kd")
    logits = [torch.tensor([[0.0, 2, 4]]), torch.tensor([[3.0, 1]])]
    assert system.joined(logits).tolist() == [[0, 1, 2, 3, 4]]
    images = torch.randn(2, *IMAGE)
    together = Ensemble(situation.partners, situation.parts).eval()
    given = [teacher.eval()(images) for teacher in situation.partners]
    assert torch.equal(together(images), system.joined(given))
    assert members_of(together) == situation.partners
    assert parts_of(together) == situation.parts
    assert parts_of(situation.student) == ()


def test_joined_logits_alone_are_a_divergence_without_labels(
    small_system: Make, small_batch: Callable[[int], Batch], situation: Situation
) -> None:
    system, batch = small_system("joined_kd", kd_weight=2.0, temperature=3.0), small_batch(0)
    result = system(batch)
    teachers = [teacher.eval()(batch.images) for teacher in situation.partners]
    expected = divergence(system.network(batch.images), system.joined(teachers), 3.0)
    torch.testing.assert_close(result.losses["student"], 2 * expected)
    other = batch._replace(labels=torch.zeros_like(batch.labels))
    torch.testing.assert_close(system(other).terms["kd"], result.terms["kd"])


def test_the_discrepancy_by_hand() -> None:
    x, y = torch.tensor([[2.0, 0], [0, 5]]), torch.tensor([[0.0, 1], [0, 3]])
    apart = sum(math.exp(-2 / (2 * width**2)) for width in BANDWIDTHS)  # lengths of sqrt(2)
    same = len(BANDWIDTHS)  # of a feature with itself, up to a distance of 1e-6
    own, other, across = (2 * same + 2 * apart) / 4, 4 * same / 4, (2 * apart + 2 * same) / 4
    found = discrepancy(x, y)
    assert float(found) == pytest.approx(own + other - 2 * across, rel=1e-5)
    assert float(discrepancy(x, x)) == 0
    assert float(discrepancy(x, 7 * x)) == pytest.approx(0, abs=1e-5)


def test_equal_features_have_gradients() -> None:
    x = torch.ones(3, 4, requires_grad=True)
    discrepancy(x, torch.randn(3, 4)).backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_the_student_follows_a_representation_that_does_not_follow_it() -> None:
    block, student = Block(2, [3, 1]), torch.randn(2, 2, 4, 4, requires_grad=True)
    teachers = [torch.randn(2, width, 4, 4) for width in (3, 1)]
    follow, rebuild = block(student, teachers)
    assert moved(follow, block) == {"fam"}
    assert moved(rebuild, block) == {"enc", "dec"}
    (gradient,) = torch.autograd.grad(follow, student, retain_graph=True)
    assert gradient.abs().sum() > 0
    assert torch.autograd.grad(rebuild, student, allow_unused=True) == (None,)


def moved(loss: Tensor, block: nn.Module) -> set[str]:
    """Name the parts of ``block`` that ``loss`` reaches."""
    names, values = zip(*block.named_parameters(), strict=True)
    found = torch.autograd.grad(loss, values, retain_graph=True, allow_unused=True)
    return {n.split(".")[0] for n, each in zip(names, found, strict=True) if each is not None}


def test_stages_that_all_networks_have_are_compared() -> None:
    maps = [(4, 8, 8)] * 4
    assert common_stages([[*maps, (4,)], [*maps, (4,)]]) == [(n, [n]) for n in range(4)]
    deeper, flat = [(4, 8, 8), *maps, (4,)], [*maps[:2], (4,)]
    assert common_stages([[*maps, (4,)], deeper, flat]) == [(0, [0, 0]), (3, [4, 1])]


def test_larger_maps_are_averaged() -> None:
    maps = [torch.arange(16.0).view(1, 1, 4, 4), torch.zeros(1, 1, 2, 4), torch.zeros(1, 1, 4, 2)]
    found = same_size(maps)
    assert [tuple(each.shape[2:]) for each in found] == [(2, 2)] * 3
    assert found[0].flatten().tolist() == [2.5, 4.5, 10.5, 12.5]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("parts", "complaint"),
    [
        ((), "do not say which of the student's 5 they know: .*variants that have classes"),
        (((0, 1, 2), (2, 3)), r"know the classes \[0, 1, 2, 2, 3\] of the student's 5: divide"),
        (((0, 1), (2, 3, 4)), "do not say which of the student's 5 they know"),
    ],
)
def test_parts_that_are_not_all_classes_once_are_refused(
    name: str, parts: tuple[tuple[int, ...], ...], complaint: str, situation: Situation
) -> None:
    kind = SYSTEMS[name]
    with pytest.raises(UserError, match=complaint):
        kind.of(replace(situation, parts=parts), kind.settings())


@pytest.mark.parametrize("name", ["layerwise_ka", "cfl"])
def test_networks_without_maps_are_refused(name: str, situation: Situation) -> None:
    def flat(classes: int) -> StagedNetwork:
        layers = {"stem": nn.Flatten(), "embedding": nn.Linear(192, 4)}
        return Chain({**layers, "head": nn.Linear(4, classes)}, family="flat")

    partners = tuple(flat(len(part)) for part in situation.parts)
    kind = SYSTEMS[name]
    with pytest.raises(UserError, match=r"compares maps \(C, H, W\).*joined_kd"):
        kind.of(replace(situation, student=flat(5), partners=partners), kind.settings())


@pytest.mark.parametrize(
    ("name", "settings", "complaint"),
    [
        ("joined_kd", {"temperature": 0}, "temperature must be above 0, got 0"),
        ("joined_kd", {"kd_weight": -1}, "kd_weight must not be negative.* -1"),
        ("layerwise_ka", {"follow_weight": -1}, "follow_weight must not be negative.* -1"),
        ("cfl", {"feature_weight": -1}, "feature_weight must not be negative.* -1"),
        ("cfl", {"channels": 0}, "channels must be 1 or more, got 0"),
        ("cfl", {"block_lr": 0}, "block_lr must be above 0, got 0"),
    ],
)
def test_settings_are_checked(name: str, settings: dict[str, float], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        SYSTEMS[name].settings(**settings)


@pytest.mark.parametrize(
    ("name", "rate", "rates"),
    [
        ("layerwise_ka", 1e-3, [1, 0.853553, 0.5, 0.146447]),  # (1 + cos(pi t / 4)) / 2
        ("cfl", 5e-4, [1, 1, 0.1, 0.1]),
        ("dafl", 0.02, [1, 1, 1, 1]),
        ("dfad", 1e-3, [1, 0.1, 0.01, 0.01]),  # falls at 1/5 and 2/5, rounded, of four epochs
    ],
)
def test_what_learns_beside_the_student_has_the_schedule_of_the_authors(
    name: str, rate: float, rates: list[float], small_system: Make
) -> None:
    run = Run(small_system(name), epochs=4)
    other = run.players["generator" if name in ("dafl", "dfad") else "blocks"]
    found = []
    for epoch in range(4):
        other.place(epoch, 0, 1)
        found += other.rates
        other.end_epoch()
    assert found == pytest.approx([rate * each for each in rates], rel=1e-5)
    assert other.recipe.weight_decay == (0 if name in ("dafl", "dfad") else 1e-4)
