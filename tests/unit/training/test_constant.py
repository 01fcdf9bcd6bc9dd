"""Weights of a frozen teacher are at hand in the type of the casts."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from sakd.objectives import SpotDistillation
from sakd.training import EXACT, Precision
from sakd.training.constant import keep_cast
from sakd.training.derived import Derived

HALF = Precision(torch.bfloat16)
Objectives = Callable[..., SpotDistillation]


def layers() -> nn.Sequential:
    made = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(4, 4, 3, groups=2, bias=False),
        nn.Flatten(),
        nn.Linear(4 * 6 * 6, 5),
    )
    return made.requires_grad_(False)


def images() -> Tensor:
    return torch.randn(2, 3, 8, 8)


def cast(network: nn.Module, x: Tensor, kind: torch.dtype = torch.bfloat16) -> Tensor:
    with torch.autocast("cpu", kind):
        result: Tensor = network(x)
    return result


def test_results_have_the_bits_of_casts_in_every_pass() -> None:
    network, x = layers(), images()
    wanted, plain = cast(network, x), network(x)
    keep_cast([network], torch.bfloat16)
    assert torch.equal(cast(network, x), wanted)
    assert torch.equal(network(x), plain)


def test_other_casts_are_as_ever() -> None:
    network, x = layers(), images()
    wanted = cast(network, x, torch.float16)
    keep_cast([network], torch.bfloat16)
    assert torch.equal(cast(network, x, torch.float16), wanted)


def test_weights_that_change_after_all_count_at_once() -> None:
    network, x = layers(), images()
    keep_cast([network], torch.bfloat16)
    before = cast(network, x)
    with torch.no_grad():
        for weights in network.parameters():
            weights.add_(0.5)
    changed = cast(network, x)
    assert not torch.equal(changed, before)
    assert torch.equal(changed, cast(copy.deepcopy(network), x))


def test_weights_that_are_trained_have_gradients() -> None:
    network, x = layers(), images()
    keep_cast([network], torch.bfloat16)
    network.requires_grad_(True)
    torch.autograd.backward(cast(network, x).sum())
    assert all(p.grad is not None for p in network.parameters())


def test_copies_and_pickles_are_independent() -> None:
    network, x = layers(), images()
    keep_cast([network], torch.bfloat16)
    wanted = cast(network, x)
    for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert torch.equal(cast(other, x), wanted)
        with torch.no_grad():
            next(other.parameters()).zero_()
        assert torch.equal(cast(network, x), wanted)
    assert network.state_dict().keys() == layers().state_dict().keys()


def kept(network: nn.Module) -> list[bool]:
    kinds = (nn.Conv2d, nn.Linear)
    return ["forward" in vars(part) for part in network.modules() if isinstance(part, kinds)]


def test_a_frozen_teacher_is_kept_and_nothing_else(small_objective: Objectives) -> None:
    objective = small_objective("fitnet", "adaptive")
    EXACT.lay_out(objective)
    assert not any(kept(objective))
    HALF.lay_out(objective)
    assert all(kept(objective.teacher))
    assert not any(kept(objective.student))
    assert not any(kept(objective.router))


def test_a_teacher_that_learns_is_not(small_objective: Objectives) -> None:
    objective = small_objective("at", "adaptive", objective="joint")
    HALF.lay_out(objective)
    assert not any(kept(objective))


def test_what_is_derived_stays_in_its_place() -> None:
    source = torch.ones(3)
    derived = Derived(lambda x: x * 2)
    with pytest.raises(RuntimeError, match="nothing has been derived"):
        _ = derived.last
    first = derived.of(source)
    source += 1
    assert torch.equal(first, torch.full((3,), 2.0))
    again = derived.of(source)
    assert again is first is derived.last
    assert torch.equal(again, torch.full((3,), 4.0))


def test_what_has_not_changed_is_not_derived_again() -> None:
    source = torch.ones(3)
    calls: list[Tensor] = []

    def twice(x: Tensor) -> Tensor:
        calls.append(x)
        return x * 2

    derived = Derived(twice)
    derived.of(source)
    derived.of(source)
    assert len(calls) == 1
