"""The laws of ways of learning, for every system of the table."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import sakd.systems
from sakd.data import Batch, BatchStream
from sakd.networks import StagedNetwork
from sakd.objectives import Optimisation
from sakd.routing import RoutingPolicy
from sakd.routing.adaptive import Adaptive
from sakd.routing.always import Always
from sakd.systems import SYSTEMS, System
from sakd.training import Precision, Run, fit, train
from unit.tables import concrete

Make = Callable[..., System[Any]]
Streams = Callable[..., BatchStream]

EPOCHS = 3
RECIPE = {"student": Optimisation(lr=0.02)}
AGAIN = {"afd_online": {"student_maps", "peer1_maps"}}
"""Players that update parameters of others once more in each step, by another loss."""
PLACES = [(1, 2), (0, 1), (0, 3), (1, 0), (1, 1), (2, 2)]
"""Finished epochs, and steps of the next: in epochs, at their last steps, and at their ends."""


KINDS: Mapping[str, tuple[str, type[RoutingPolicy]]] = {
    **{name: (name, Always) for name in SYSTEMS},
    **{f"{name}, routed": (name, Adaptive) for name, kind in SYSTEMS.items() if kind.routable},
}


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest, small_system: Make) -> Make:
    """Build a system of every kind, and one that can be routed also by a trained policy."""
    name, policy = KINDS[request.param]

    def build(seed: int = 0) -> System[Any]:
        return small_system(name, seed=seed, policy=policy)

    return build


def measure(network: nn.Module) -> Mapping[str, float]:
    """Measure the logits of a few images, in evaluation mode."""
    images = torch.linspace(-1, 1, 2 * 3 * 64).view(2, 3, 8, 8)
    with torch.no_grad():
        logits = network.eval()(images)
    assert logits.shape == (2, 5)
    return {"val_top1": float(logits.double().square().mean())}


def recipe(system: System[Any]) -> Mapping[str, Optimisation]:
    """Give the recipe of the student, where there are gradients."""
    return RECIPE if type(system).passes is None else {}


def run_of(system: System[Any], **options: Any) -> Run:
    given = {"epochs": EPOCHS, "optimisation": recipe(system), "evaluate": measure}
    return Run(system, **{**given, **options})


def assert_same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


def test_the_student_stays_a_plain_network(
    make: Make, small_network: Callable[..., StagedNetwork]
) -> None:
    system, plain = make(), small_network(0)
    assert system.network.state_dict().keys() == plain.state_dict().keys()
    assert_same(system.network.state_dict(), plain.state_dict())
    assert ("student" in system.players()) == (type(system).passes is None)


def test_players_are_disjoint_and_hold_all_that_is_trained(make: Make) -> None:
    system = make()
    players = {name: player.parameters for name, player in system.players().items()}
    again = AGAIN.get(SYSTEMS.name_of(type(system)), set())
    held = [id(p) for name in players.keys() - again for p in players[name]]
    assert len(held) == len(set(held))
    if type(system).passes is None:
        everyone = {id(p) for parameters in players.values() for p in parameters}
        assert everyone == {id(p) for p in system.parameters() if p.requires_grad}


def test_training_moves_the_players_alone_and_logs_finite_terms(
    make: Make, small_stream: Streams
) -> None:
    system = make()
    before, student = copy.deepcopy((system.state_dict(), system.network.state_dict()))
    how = {"optimisation": recipe(system), "evaluate": measure}
    history = fit(system, small_stream(1), epochs=2, **how)
    assert len(history) == 2
    assert len(history[0]) > 2, "a term is logged"
    for name in system.further_networks():
        assert f"val_top1_{name}" in history[0]
    after = system.state_dict()
    learnt = system.network.state_dict()
    assert any(not torch.equal(value, learnt[name]) for name, value in student.items())
    for player in system.players().values():
        moved = {id(p) for p in player.parameters}
        names = [name for name, p in system.named_parameters() if id(p) in moved]
        assert any(not torch.equal(before[name], after[name]) for name in names)
    for name, value in after.items():
        if name.startswith(tuple(f"{part}." for part in system.frozen)):
            assert torch.equal(before[name], value), name


def test_the_same_seed_gives_the_same_bits_however_often_it_is_measured(
    make: Make, small_stream: Streams
) -> None:
    one, other = make(), make()
    fit(one, small_stream(1), epochs=EPOCHS, optimisation=recipe(one), evaluate=measure)
    fit(other, small_stream(1), epochs=EPOCHS, optimisation=recipe(other))
    assert_same(one.state_dict(), other.state_dict())


def test_a_training_goes_on_from_any_step_with_the_bits_of_one_in_a_piece(
    make: Make, small_stream: Streams, kept_states: Any
) -> None:
    whole = run_of(make(), callbacks=[kept_states])
    train([whole], small_stream(1))
    alone, *beside = (run_of(make(seed=5), resume=kept_states.at(place)) for place in PLACES)
    train([alone], small_stream(1))
    train(beside, small_stream(1))
    for run in (whole, alone, *beside):
        assert run.failure is None
        assert [list(record.items()) for record in run.history] == [
            list(record.items()) for record in whole.history
        ]
        assert_same(run.objective.progress(), whole.objective.progress())


def test_beside_others_it_has_the_bits_that_it_has_alone(make: Make, small_stream: Streams) -> None:
    alone, beside, other = run_of(make()), run_of(make()), run_of(make(seed=7), epochs=2)
    train([alone], small_stream(1))
    train([other, beside], small_stream(1))
    assert [run.failure for run in (alone, beside, other)] == [None] * 3
    assert beside.history == alone.history
    assert_same(beside.objective.state_dict(), alone.objective.state_dict())


def test_every_loss_reaches_its_player_and_terms_are_detached(
    make: Make, small_stream: Streams
) -> None:
    system, stream = make(), small_stream(1)
    system.begin_epoch(0, EPOCHS, stream)
    result = system(system.arrange(next(stream.epoch(0))))
    players = system.players()
    assert set(result.losses) <= set(players)
    assert ("student" in result.losses) == (type(system).passes is None)
    assert not any(term.requires_grad for term in result.terms.values())
    assert all(term.dim() == 0 for term in result.terms.values())
    for name, loss in result.losses.items():
        parameters = players[name].parameters
        found = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
        gradients = [gradient for gradient in found if gradient is not None]
        assert gradients
        assert all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("autocast", [None, torch.bfloat16])
def test_degenerate_images_and_weights_give_finite_losses_and_gradients(
    autocast: torch.dtype | None, make: Make, assert_finite: Any
) -> None:
    assert_finite(make, Precision(autocast))


def test_mixed_images_are_learnt_from(make: Make, small_stream: Streams) -> None:
    system = make()
    history = fit(system, small_stream(1, mixup=0.4), epochs=2, optimisation=recipe(system))
    assert all(math.isfinite(value) for value in history[0].values())


def test_parts_that_do_not_learn_are_in_evaluation_mode(make: Make) -> None:
    system = make().eval().train()
    for name in (*system.frozen, *system.resting):
        assert not any(part.training for part in system.get_submodule(name).modules()), name
    assert system.network.training == ("student" not in system.resting)


@pytest.mark.parametrize(("name", "settings"), [("dml", {"peers": 2}), ("dcm", {})])
def test_no_loss_of_networks_that_learn_from_each_other_reaches_another_one(
    name: str, settings: Mapping[str, int], small_system: Make, small_batch: Callable[..., Batch]
) -> None:
    system = small_system(name, **settings)
    losses, players = system(small_batch(3)).losses, system.players()
    assert len(losses) > 1
    for one, loss in losses.items():
        for other, player in players.items():
            gradients = torch.autograd.grad(
                loss, player.parameters, retain_graph=True, allow_unused=True
            )
            assert all((g is None) == (one != other) for g in gradients)


def test_every_system_in_the_package_is_in_the_table() -> None:
    found = concrete(sakd.systems, System)
    assert {kind for kind in found if ".parts." not in kind.__module__} == set(SYSTEMS.values())
