"""Weights of teachers that are learnt: by hand, in phases, and for whom they have a gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn.functional import log_softmax

from sakd.data import Batch
from sakd.distillers.parts.logits import divergence
from sakd.foundation.errors import UserError
from sakd.systems.amtml import Weighting, hint, mixed

Make = Callable[..., Any]


@pytest.fixture
def weighting() -> Weighting:
    """The weights of the hand-worked values."""
    made = Weighting(2, 2).double()
    made.theta.data = torch.tensor([[1.0, 1], [-1, 0]], dtype=torch.float64)
    made.w.data = torch.tensor([1, 0.5], dtype=torch.float64)
    return made


def test_shares_and_loss_by_hand(weighting: Weighting) -> None:
    shares = weighting(torch.tensor([[1.0, 0], [0, 2]], dtype=torch.float64)).detach()
    expected = torch.tensor([[0.880797, 0.119203], [0.731059, 0.268941]], dtype=torch.float64)
    torch.testing.assert_close(shares.exp(), expected, atol=1e-6, rtol=0)
    student = torch.tensor([[1.0, 0, -1], [0, 2, 0]], dtype=torch.float64)
    teachers = [[[2.0, 0, -2], [1, 1, 0]], [[0, 1, 0], [0, 3, 1]]]
    target = mixed([torch.tensor(z, dtype=torch.float64) for z in teachers], shares, 2.0)
    kl = divergence(log_softmax(student / 2, dim=1), target).mean()
    # 2 alpha T^2 KL over all K = 3 numbers, and (1 - alpha) CE of 0.323575
    assert float(1.4 * 4 * kl / 3 + 0.3 * 0.323575) == pytest.approx(0.162775, abs=1e-5)
    assert weighting.size().item() == pytest.approx(1 + 0.25 + 3)


def test_the_weights_are_fixed_after_the_first_phase(small_system: Make, small_batch: Make) -> None:
    system, batch = small_system("amtml"), small_batch(3)
    first = system(batch)
    assert set(system.players()) == {"student", "weighting"}
    assert first.losses["student"] is first.losses["weighting"]
    assert "penalty" in first.terms
    system.enter(1)
    second = system(batch)
    assert set(second.losses) == set(system.players()) == {"student"}
    assert second.terms.keys() == first.terms.keys() - {"penalty"}


@pytest.mark.parametrize("detach", [False, True])
def test_the_student_moves_the_target_unless_it_is_detached(
    detach: bool, small_system: Make, small_batch: Callable[..., Batch]
) -> None:
    weights = {"ce_weight": 0.0, "relation_weight": 0.0, "hint_weight": 0.0, "penalty": 0.0}
    system = small_system("amtml", detach=detach, **weights)
    for parameter in system.student.stage_modules()["head"].parameters():
        parameter.data.zero_()  # then no gradient of the logits reaches the stages
    loss = system(small_batch(3)).losses["student"]
    stem = next(system.student.stage_modules()["stem"].parameters())
    (found,) = torch.autograd.grad(loss, stem)
    assert bool(found.any()) == (not detach)


def test_there_are_hints_for_all_teachers_but_the_last(small_system: Make) -> None:
    assert len(small_system("amtml").hints) == 1
    assert len(small_system("amtml", hint_weight=0.0).hints) == 0


def test_hints_need_maps() -> None:
    with pytest.raises(UserError, match=r"gives \(5, 8\): set hint_weight to 0"):
        hint((5, 8), (8,))


@pytest.mark.parametrize(
    ("setting", "value", "match"),
    [
        ("learning", 1.0, r"learning .* below 1, got 1\.0"),
        ("penalty", -1.0, "penalty must not be negative: -1"),
        ("temperature", 0.0, "temperature must be above 0, got 0"),
    ],
)
def test_settings_out_of_range_are_refused(
    setting: str, value: float, match: str, small_system: Make
) -> None:
    with pytest.raises(UserError, match=match):
        small_system("amtml", **{setting: value})
