"""Steps that are computed and not taken lead where real ones would, and gradients through them."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, scaled_dot_product_attention

from sakd.data import Batch
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork
from sakd.objectives import Optimisation
from sakd.objectives.adaptive_moments import Adam
from sakd.objectives.virtual import Descent, Trail, with_gradients

Networks = Callable[..., StagedNetwork]
Batches = Callable[..., Batch]
RECIPE = Optimisation(lr=0.1, momentum=0.9, weight_decay=0.01)


class Two(nn.Module):
    """Two parameters, of which the loss weighs one."""

    def __init__(self) -> None:
        super().__init__()
        self.v1 = nn.Parameter(torch.tensor([1.0, 3.0], dtype=torch.float64))
        self.v2 = nn.Parameter(torch.tensor([[-1.0, -2.0], [1.0, 0.0]], dtype=torch.float64))
        self.weight = torch.zeros(2, 2, dtype=torch.float64, requires_grad=True)

    def loss(self) -> Tensor:
        return (self.weight * self.v2**2).sum() + (self.v1**2).sum() / 2

    def outer(self) -> Tensor:
        return (self.v1 * self.v2).mean()


def test_the_gradient_through_a_plain_step_is_that_by_hand() -> None:
    """It is -lr times (v1 / 4) times 2 v2, v1 after the step."""
    two = Two()
    parameters = [two.v1, two.v2]
    plain = Optimisation(lr=0.1, momentum=0.0, weight_decay=0.0)
    trail = Trail(two, parameters, Descent.first(plain, parameters))
    trail.follow(two.loss)
    (gradient,) = torch.autograd.grad(trail.at(two.outer), two.weight)
    expected = torch.tensor([[0.045, 0.27], [-0.045, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(gradient, expected)


def test_steps_lead_where_those_of_sgd_do_and_leave_the_network_alone(
    small_network: Networks, small_batch: Batches
) -> None:
    network, batch = small_network(0).double().train(), small_batch(1)
    images = batch.images.double()
    parameters = list(network.parameters())
    sgd = RECIPE.optimiser(parameters)

    def loss() -> Tensor:
        return cross_entropy(network(images), batch.labels)

    def step(optimiser: torch.optim.Optimizer) -> None:
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()

    step(sgd)
    before = copy.deepcopy(network.state_dict())
    trail = Trail(network, parameters, Descent.of(sgd, parameters))
    for _ in range(3):
        trail.follow(loss)
    tried = trail.at(loss)
    state = network.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in before.items())
    for _ in range(3):
        step(sgd)
    torch.testing.assert_close(tried, loss(), rtol=1e-9, atol=0)


def test_a_parameter_that_a_loss_does_not_reach_stays() -> None:
    two = Two()
    parameters = [two.v1, two.v2]
    trail = Trail(two, parameters, Descent.first(RECIPE, parameters))
    trail.follow(lambda: (two.v1**2).sum() / 2)
    assert torch.equal(trail.at(lambda: two.v2 + 0), two.v2)
    trail.go([None, torch.ones(2, 2)])
    assert not torch.equal(trail.at(lambda: two.v2 + 0), two.v2)


def test_no_gradient_flows_through_a_step_by_given_gradients() -> None:
    two = Two()
    parameters = [two.v1, two.v2]
    trail = Trail(two, parameters, Descent.first(RECIPE, parameters))
    trail.go(torch.autograd.grad(two.loss(), parameters))
    assert torch.autograd.grad(trail.at(two.outer), two.weight, allow_unused=True) == (None,)


class Attends(nn.Module):
    """A layer of attention."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        turned = self.turn(x)
        return scaled_dot_product_attention(turned, turned, turned)


def test_attention_is_differentiated_twice() -> None:
    module, x = Attends(), torch.randn(2, 1, 3, 4)
    weight = torch.ones((), requires_grad=True)
    parameters = list(module.parameters())
    trail = Trail(module, parameters, Descent.first(RECIPE, parameters))
    trail.follow(lambda: weight * module(x).square().sum())
    (gradient,) = torch.autograd.grad(trail.at(lambda: module(x).sum()), weight)
    assert gradient != 0


def test_compiled_stages_run_as_they_are_written_and_are_compiled_afterwards(
    small_network: Networks, small_batch: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Tensor:
        raise AssertionError("compiled")

    network, images = small_network(0), small_batch(1).images
    monkeypatch.setattr(torch, "compile", lambda *_, **__: refuse)
    network.compile_stages()
    parameters = list(network.parameters())
    trail = Trail(network, parameters, Descent.first(RECIPE, parameters))
    trail.follow(lambda: network(images).sum())
    with pytest.raises(AssertionError, match="compiled"):
        network(images)


def test_only_steps_of_sgd_can_be_tried() -> None:
    parameter = nn.Parameter(torch.ones(1))
    adam = Adam([parameter], lr=0.1, momentum=0.9, memory=0.999, weight_decay=0.0)
    with pytest.raises(UserError, match="steps of Adam cannot be tried: take SGD"):
        Descent.of(adam, [parameter])


def test_a_loss_with_given_gradients_has_its_value_and_them() -> None:
    one, other, third = (torch.randn(3, requires_grad=True) for _ in range(3))
    loss = (one**3).sum() / 7 + other.sum()
    gradients = torch.autograd.grad(loss, [one, other, third], retain_graph=True, allow_unused=True)
    made = with_gradients(loss, [one, other, third], gradients)
    assert torch.equal(made, loss)
    again = torch.autograd.grad(made, [one, other, third], allow_unused=True)
    assert torch.equal(again[0], gradients[0])
    assert torch.equal(again[1], gradients[1])
    assert again[2] is None
