"""Updates of a player's parameters: learning rates, momentum, restored state."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sakd.foundation.errors import UserError
from sakd.objectives import Objective, Optimisation, Player, Supervised
from sakd.objectives.adam import AdamOptimisation
from sakd.training import Callback, Run, train
from sakd.training.optimisation import Updates, clipped, gradients

STILL = Optimisation(lr=0.1, momentum=0.0, weight_decay=0.0)


class Alone(Objective):
    """One parameter, which falls."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Parameter(torch.tensor([2.0]))

    @property
    def network(self) -> nn.Module:
        return self

    def players(self) -> dict[str, Player]:
        return {"one": Player([self.one], STILL)}

    def forward(self, batch: Any, teacher: Any = None) -> Any:
        return {"one": self.one.sum()}


def step(player: Updates, loss: Tensor) -> None:
    """Take one step of the player by its ``loss``."""
    player.update(gradients({"one": loss}, {"one": player})["one"])


def learning_rates(epochs: int, optimisation: Optimisation) -> list[float]:
    """List the learning rate of every epoch."""
    parameter = nn.Parameter(torch.ones(2))
    player, rates = Updates(Player([parameter], optimisation), epochs), []
    for _ in range(epochs):
        rates.append(player.optimiser.param_groups[0]["lr"])
        step(player, parameter.sum())
        player.end_epoch()
    return rates


def test_the_rate_falls_after_epochs_150_180_and_210_of_240() -> None:
    rates = learning_rates(240, Optimisation())
    expected = [0.05] * 150 + [0.005] * 30 + [0.0005] * 30 + [0.00005] * 30
    assert rates == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("epochs", "falls"), [(8, [5, 6, 7]), (80, [50, 60, 70])])
def test_milestones_scale_with_the_epochs(epochs: int, falls: list[int]) -> None:
    rates = learning_rates(epochs, Optimisation())
    assert [k for k in range(1, epochs) if rates[k] < rates[k - 1]] == falls


def test_no_rate_falls_before_the_first_epoch() -> None:
    recipe = Optimisation(lr=1.0, milestones=(0.1, 0.5))
    assert learning_rates(1, recipe) == [1.0]
    assert learning_rates(2, recipe) == pytest.approx([1.0, 0.01])
    warm = Updates(Player([nn.Parameter(torch.ones(2))], replace(recipe, warmup_epochs=0.5)), 1)
    warm.place(0, 3, 4)
    assert warm.rates == (1.0,)


def test_milestones_that_meet_in_one_epoch_all_count() -> None:
    rates = learning_rates(3, Optimisation(lr=1.0, milestones=(0.6, 0.7)))
    assert rates == pytest.approx([1.0, 1.0, 0.01])


def test_the_rate_of_a_player_that_has_had_no_update_falls_without_a_warning() -> None:
    player = Updates(Player([nn.Parameter(torch.ones(2))], Optimisation(milestones=(0.5,))), 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        player.end_epoch()
    assert player.rates == pytest.approx([0.005])


def test_a_restored_player_has_the_rates_that_were_to_come() -> None:
    parameter, optimisation = nn.Parameter(torch.ones(2)), Optimisation()
    player, rates = Updates(Player([parameter], optimisation), 16), []
    for _ in range(16):
        rates.append(player.optimiser.param_groups[0]["lr"])
        step(player, parameter.sum())
        player.end_epoch()
        state = player.state()
        player = Updates(Player([parameter], optimisation), 16)
        player.restore(state)
    assert rates == pytest.approx(learning_rates(16, optimisation))
    assert rates[0] > rates[10] > rates[12] > rates[14]


def test_a_cosine_falls_in_every_step_and_begins_again_with_each_cycle() -> None:
    recipe = Optimisation(lr=0.1, schedule="cosine", cycles=2)
    parameter = nn.Parameter(torch.ones(2))
    player, rates = Updates(Player([parameter], recipe), 4), []
    for epoch in range(4):
        for step_number in range(4):
            player.place(epoch, step_number, 4)
            rates += player.rates
            step(player, parameter.sum())
        player.end_epoch()
    cycle = [0.1, 0.096194, 0.085355, 0.069134, 0.05, 0.030866, 0.014645, 0.003806]
    assert rates == pytest.approx([*cycle, *cycle], abs=5e-7)


def test_a_player_has_cycles_whatever_its_recipe_says() -> None:
    recipe = Optimisation(lr=0.2)
    player = Player([], cycles=3).with_recipe("one", {"one": recipe})
    assert player.optimisation == replace(recipe, schedule="cosine", cycles=3)
    assert Player([]).with_recipe("one", {"one": recipe}).optimisation == recipe


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"cycles": 0}, "cycles must be 1 or more, got 0"),
        ({"cycles": 4}, "cycles 4: .* take 'cosine'"),
    ],
)
def test_cycles_are_those_of_a_cosine(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        Optimisation(**wrong)


def test_two_updates_equal_sgd_with_momentum_and_decay_by_hand() -> None:
    optimisation = Optimisation(lr=0.1, momentum=0.9, weight_decay=0.01)
    parameter = nn.Parameter(torch.tensor([2.0, -3.0], dtype=torch.float64))
    player = Updates(Player([parameter], optimisation), 10)
    expected, velocity = [2.0, -3.0], [0.0, 0.0]
    for _ in range(2):
        step(player, (parameter**3).sum())
        for k, weight in enumerate(expected):
            velocity[k] = 0.9 * velocity[k] + 3 * weight**2 + 0.01 * weight
            expected[k] = weight - 0.1 * velocity[k]
    assert parameter.tolist() == pytest.approx(expected, rel=1e-12)
    assert parameter.grad is None


def test_adam_is_that_of_torch_with_an_l2_penalty() -> None:
    torch.manual_seed(0)
    start = torch.randn(3, 4, dtype=torch.float64)
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    player = Updates(Player([ours], AdamOptimisation(lr=0.02, weight_decay=0.1)), 9)
    adam = torch.optim.Adam([theirs], lr=0.02, weight_decay=0.1)
    for scale in (1.0, 1e-3, 10.0, 0.1):
        step(player, scale * (ours**3).sum())
        (scale * (theirs**3).sum()).backward()
        adam.step()
        adam.zero_grad()
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=0)


def test_a_restored_adam_goes_on_to_the_bit() -> None:
    def updates(parameter: nn.Parameter) -> Updates:
        return Updates(Player([parameter], AdamOptimisation(lr=0.1)), 9)

    one = nn.Parameter(torch.tensor([2.0, -3.0]))
    player = updates(one)
    step(player, (one**3).sum())
    other = nn.Parameter(one.detach().clone())
    restored = updates(other)
    restored.restore(copy.deepcopy(player.state()))
    for each, parameter in ((player, one), (restored, other)):
        step(each, (parameter**2).sum())
    assert torch.equal(one, other)


def test_parameters_without_a_gradient_stay() -> None:
    used, unused = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    player = Updates(Player([used, unused], Optimisation()), 1)
    step(player, used.sum())
    assert (float(used.detach()) < 1, float(unused.detach())) == (True, 1.0)


def test_an_objective_may_read_what_its_players_are_updated_by() -> None:
    class Watching(Alone):
        def watch(self, optimisers: Mapping[str, torch.optim.Optimizer]) -> None:
            self.seen = dict(optimisers)

    objective = Watching()
    recipe = Optimisation(lr=0.25, milestones=(0.5,))
    run = Run(objective, epochs=2, optimisation={"one": recipe})
    (group,) = objective.seen["one"].param_groups
    assert group["lr"] == 0.25
    run.update(objective(None))
    run.players["one"].end_epoch()
    assert group["lr"] == pytest.approx(0.025)
    assert "momentum_buffer" in objective.seen["one"].state[objective.one]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lr": 0.0}, "lr must be above 0, got 0.0"),
        ({"momentum": 1.0}, r"momentum must be in \[0, 1\), got 1.0"),
        ({"weight_decay": -1.0}, "weight_decay must not be negative"),
        ({"milestones": (0.5, 150.0)}, r"milestones .*\(0, 1\], got \(0.5, 150.0\)"),
    ],
)
def test_settings_that_cannot_train_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Optimisation(**wrong)


def test_every_gradient_is_taken_before_any_update() -> None:
    class Duel(Alone):
        def __init__(self) -> None:
            super().__init__()
            self.two = nn.Parameter(torch.tensor([3.0]))

        def players(self) -> dict[str, Player]:
            return {**super().players(), "two": Player([self.two], STILL)}

        def forward(self, batch: Any, teacher: Any = None) -> Any:
            return {"one": (self.one * self.two).sum(), "two": -(self.one * self.two).sum()}

    duel = Duel()
    Run(duel, epochs=1).update(duel(None))
    assert (duel.one.item(), duel.two.item()) == pytest.approx((2.0 - 0.3, 3.0 + 0.2))


def test_players_with_one_loss_together_cost_one_backward_pass() -> None:
    one, two, other = (nn.Parameter(torch.tensor([x])) for x in (2.0, 3.0, 5.0))
    players = {"a": Updates(Player([one]), 1), "b": Updates(Player([two]), 1)}
    players["c"] = Updates(Player([other]), 1)
    loss = (one * two).sum()
    found = gradients({"a": loss, "c": other.square().sum(), "b": loss}, players)
    assert {name: [float(g) for g in given] for name, given in found.items()} == {
        "a": [3.0],
        "b": [2.0],
        "c": [10.0],
    }


def test_a_player_takes_the_recipe_that_is_given_for_the_one_it_is_like() -> None:
    given = {"student": Optimisation(lr=0.3, momentum=0.5)}
    peer = Player([], like="student", lr_factor=0.1).with_recipe("peer1", given)
    assert (peer.optimisation.lr, peer.optimisation.momentum) == (pytest.approx(0.03), 0.5)
    own = Player([], STILL, like="student")
    assert own.with_recipe("peer1", {**given, "peer1": Optimisation(lr=7.0)}).optimisation.lr == 7.0
    assert own.with_recipe("peer1", {}).optimisation is STILL
    assert Player([], STILL).with_recipe("peer1", given).optimisation is STILL


RECIPES = {
    "nesterov": Optimisation(lr=0.05, nesterov=True),
    "adam": Optimisation(lr=0.01, method="adam"),
    "adamw": Optimisation(lr=0.01, method="adamw", weight_decay=0.1),
    "warm-up": Optimisation(lr=0.05, warmup_epochs=1.5, milestones=(0.5,)),
    "warm cosines": Optimisation(lr=0.05, warmup_epochs=0.5, schedule="cosine", cycles=2),
    "clip": Optimisation(lr=0.05, clip=0.1),
}


@pytest.mark.parametrize("name", RECIPES)
def test_each_recipe_resumes_and_runs_beside_others_to_the_bit(
    name: str, small_network: Callable[..., Any], small_stream: Callable[..., Any]
) -> None:
    states: list[dict[str, Any]] = []

    class Keep(Callback):
        def on_epoch(self, run: Run) -> None:
            states.append(copy.deepcopy(run.state()))

    def run(recipe: Optimisation = RECIPES[name], seed: int = 0, **options: Any) -> Run:
        student = Supervised(small_network(seed))
        return Run(student, epochs=3, optimisation={"student": recipe}, **options)

    whole, beside = run(callbacks=[Keep()]), run()
    train([whole], small_stream(1))
    resumed, plain = run(seed=5, resume=states[0]), run(Optimisation())
    train([resumed], small_stream(1))
    train([plain, beside], small_stream(1))
    assert [one.failure for one in (whole, resumed, beside, plain)] == [None] * 4
    for other in (resumed, beside):
        assert other.history == whole.history
        for key, value in whole.objective.state_dict().items():
            assert torch.equal(other.objective.state_dict()[key], value), key
    assert plain.history != whole.history


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("nesterov", partial(torch.optim.SGD, lr=0.05, momentum=0.9, nesterov=True)),
        ("adam", partial(torch.optim.Adam, lr=0.01)),
        ("adamw", partial(torch.optim.AdamW, lr=0.01)),
    ],
)
def test_updates_are_those_of_torch(name: str, theirs: Callable[..., Any]) -> None:
    start = torch.linspace(-1, 1, 5, dtype=torch.float64)
    ours, other = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    recipe = RECIPES[name]
    player = Updates(Player([ours], recipe), 1)
    optimiser = theirs([other], weight_decay=recipe.weight_decay)
    for power in (2, 3, 4):
        step(player, ours.pow(power).sum())
        optimiser.zero_grad()
        other.pow(power).sum().backward()
        optimiser.step()
    torch.testing.assert_close(ours, other)


def test_rates_by_hand() -> None:
    player = Updates(Player([nn.Parameter(torch.ones(1))], RECIPES["warm-up"]), 4)

    def rate(epoch: int, step: int) -> float:
        player.place(epoch, step, 2)
        return player.rates[0]

    rates = [rate(epoch, step) for epoch in range(4) for step in range(2)]
    assert rates == pytest.approx([0.05 / 3, 0.1 / 3, *[0.05] * 2, *[0.005] * 4])


def test_a_gradient_is_scaled_down_to_the_largest_norm() -> None:
    given = [torch.tensor([3.0]), None, torch.tensor([0.0, 4.0])]
    first, nothing, last = clipped(given, 1.0)
    assert nothing is None
    torch.testing.assert_close(first, torch.tensor([0.6]))
    torch.testing.assert_close(last, torch.tensor([0.0, 0.8]))
    small = clipped([torch.tensor([0.5])], 1.0)
    assert torch.equal(small[0], torch.tensor([0.5]))


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"nesterov": True, "momentum": 0.0}, "nesterov: 'sgd' with momentum 0.0 has none"),
        ({"nesterov": True, "method": "adam"}, "nesterov: 'adam' with momentum"),
        ({"warmup_epochs": -1.0}, "warmup_epochs"),
        ({"clip": 0.0}, "clip must be above 0, or null, got 0.0"),
        ({"cycles": 2, "warmup_epochs": 1.0}, "the schedule 'milestones' has none"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(recipe: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        Optimisation(**recipe)
    assert message in str(caught.value)
