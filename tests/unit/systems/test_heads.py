"""Heads between the stages: shapes, controls, and what learns from what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from sakd.data import Batch
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork, build_network
from sakd.networks.chain import Chain
from sakd.objectives import Supervised
from sakd.systems import SYSTEMS, Partner
from sakd.systems.parts.heads import stage_shapes

Make = Callable[..., Any]


def test_without_transfer_byot_is_deep_supervision(
    small_system: Make, small_batch: Callable[..., Batch]
) -> None:
    batch = small_batch(3)
    byot, control = small_system("byot", alpha=0.0, hint=0.0), small_system("deep_supervision")
    control.heads.load_state_dict(byot.heads.state_dict())
    found, expected = byot(batch), small_system("deep_supervision", head_weight=1.0)
    expected.heads.load_state_dict(byot.heads.state_dict())
    assert torch.equal(found.losses["student"], expected(batch).losses["student"])
    labels = sum(found.terms[f"cross_entropy_head{c}"] for c in (1, 2))
    plain = found.terms["cross_entropy"] + 0.7 * labels
    torch.testing.assert_close(control(batch).losses["student"].detach(), plain)


def test_without_heads_weights_it_is_the_student_alone(
    small_system: Make,
    small_network: Callable[..., StagedNetwork],
    small_batch: Callable[..., Batch],
) -> None:
    batch, alone = small_batch(3), Supervised(small_network(0))
    system = small_system("deep_supervision", head_weight=0.0)
    assert torch.equal(system(batch).losses["student"], alone(batch).losses["student"])


def test_what_is_taught_does_not_reach_the_deepest_head(
    small_system: Make, small_batch: Callable[..., Batch]
) -> None:
    system, batch = small_system("byot", every_hint=True), small_batch(3)
    seen = [x.detach().requires_grad_() for x in system.seen(batch, None)]
    terms = system.terms(batch, seen)
    taught = sum(t.loss for n, t in terms.items() if n.startswith(("soft", "hint")))
    grads = torch.autograd.grad(taught, seen, allow_unused=True)
    reached = [grad is not None and bool(grad.any()) for grad in grads]
    assert reached == [True, True, False, True, True, False]
    assert len(system.hints) == 2
    assert len(small_system("byot").hints) == 1


def test_heads_and_their_mean_are_measured(
    small_system: Make, small_batch: Callable[..., Batch]
) -> None:
    system, images = small_system("byot").eval(), small_batch(3).images
    networks = system.further_networks()
    assert list(networks) == ["head1", "head2", "ensemble"]
    shallow = [networks[name](images) for name in ("head1", "head2")]
    mean = (sum(shallow) + system.student(images)) / 3
    torch.testing.assert_close(networks["ensemble"](images), mean)
    assert not torch.equal(*shallow)


@pytest.mark.parametrize("name", ["vgg8", "MobileNetV2", "ShuffleNetV2", "wrn_16_1"])
def test_heads_fit_stages_that_halve_and_that_do_not(name: str, small_situation: Make) -> None:
    student = build_network(name, num_classes=5, image_shape=(3, 32, 32))
    situation = small_situation(Partner.NONE)
    data = replace(situation.data, image_shape=(3, 32, 32))
    system = SYSTEMS["byot"].of(
        replace(situation, student=student, data=data), SYSTEMS["byot"].settings()
    )
    batch = Batch(torch.randn(2, 3, 32, 32), torch.tensor([0, 1]), torch.arange(2), 0)
    assert system(batch).losses["student"].isfinite()


def test_heads_need_maps_and_two_stages() -> None:
    flat = Chain(
        {"stem": nn.Flatten(), "one": nn.Linear(192, 4), "two": nn.Linear(4, 4), "end": nn.ReLU()}
        | {"head": nn.Linear(4, 5)},
        family="flat",
    )
    with pytest.raises(UserError, match=r"'one' gives .*\(4,\).* convolutional student"):
        stage_shapes(flat, (3, 8, 8))
    short = Chain(
        {"stem": nn.Conv2d(3, 4, 1), "one": nn.Conv2d(4, 4, 1), "end": nn.Flatten()}
        | {"head": nn.Linear(256, 5)},
        family="short",
    )
    with pytest.raises(UserError, match=r"has 1 stage of maps.* two or more"):
        stage_shapes(short, (3, 8, 8))
