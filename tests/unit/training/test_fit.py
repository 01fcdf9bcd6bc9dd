"""The laws of the training loop."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sakd.data import BatchStream
from sakd.distillers import DISTILLERS
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork
from sakd.objectives import Objective, Optimisation, SpotDistillation, Supervised
from sakd.routing import POLICIES
from sakd.training import Callback, Run, fit, pretrain, train

Objectives = Callable[..., SpotDistillation]
Streams = Callable[..., BatchStream]
Networks = Callable[..., StagedNetwork]

EPOCHS = 2
PLACES = [(0, 1), (0, 3), (1, 0), (1, 2)]
"""Finished epochs, and steps of the next: in epochs, at a last step, and between two epochs."""
SETTINGS = {name: Optimisation(lr=0.02) for name in ("student", "router")}
METHODS = [*DISTILLERS, "at-crd"]
PLAIN = [("at" if kind.weighs else "sp", name, False) for name, kind in POLICIES.items()]
EVERY = {*PLAIN, *((name, "adaptive", False) for name in METHODS)}
EVERY |= {(name, "adaptive", True) for name in ("at", "crd")}


def trained(
    objective: Objective, stream: BatchStream, **options: Any
) -> tuple[list[dict[str, float]], dict[str, Tensor]]:
    """Train, with pretraining unless resumed; give the history and the final state."""
    if "resume" not in options:
        pretrain(objective, stream)
    players = objective.players()
    settings = {name: SETTINGS[name] for name in players if name in SETTINGS}
    history = fit(objective, stream, epochs=EPOCHS, optimisation=settings, **options)
    return history, objective.state_dict()


def run_of(objective: Objective, **options: Any) -> Run:
    """Prepare a run such as those of `trained`."""
    settings = {name: SETTINGS[name] for name in objective.players() if name in SETTINGS}
    return Run(objective, epochs=EPOCHS, optimisation=settings, **options)


def assert_identical(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert set(one) == set(other)
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


@pytest.fixture(params=sorted(EVERY), ids=lambda case: "-".join(map(str, case)))
def start(request: pytest.FixtureRequest, small_objective: Objectives) -> Objectives:
    """Start an objective of every kind."""
    method, policy, train_teacher = request.param
    return partial(small_objective, method, policy, train_teacher=train_teacher)


# The next law has the same for every method: its two trainings begin alike.
@pytest.mark.parametrize("start", PLAIN, indirect=True)
def test_one_seed_gives_one_history_and_one_network_to_the_bit(
    start: Objectives, small_stream: Streams
) -> None:
    first = trained(start(), small_stream(1))
    second = trained(start(), small_stream(1))
    assert first[0] == second[0]
    assert_identical(first[1], second[1])
    other = trained(start(), small_stream(2))
    assert other[0] != first[0]


def test_a_training_goes_on_from_any_step_with_the_bits_of_one_in_a_piece(
    start: Objectives, small_stream: Streams, kept_states: Any
) -> None:
    whole = trained(start(), small_stream(1), callbacks=[kept_states])
    resumed = trained(start(seed=5), small_stream(1), resume=kept_states.at((1, 2)))
    assert resumed[0] == whole[0]
    assert_identical(resumed[1], whole[1])
    beside = [run_of(start(seed=5), resume=kept_states.at(place)) for place in PLACES]
    train(beside, small_stream(1))
    for run in beside:
        assert run.failure is None
        assert run.history == whole[0]
        assert_identical(dict(run.objective.state_dict()), whole[1])


def test_a_state_of_an_earlier_version_goes_on_after_its_epoch(
    small_objective: Objectives, small_stream: Streams, kept_states: Any
) -> None:
    whole = trained(small_objective("crd", "adaptive"), small_stream(1), callbacks=[kept_states])
    state = kept_states.at((1, 0))
    before = {name: state[name] for name in ("objective", "history")}
    before["players"] = {
        name: {"optimiser": player["optimiser"], "schedule": {"last_epoch": player["ended"]}}
        for name, player in state["players"].items()
    }
    fresh = small_objective("crd", "adaptive", seed=5)
    assert trained(fresh, small_stream(1), resume=before)[0] == whole[0]


def test_a_state_within_an_epoch_of_more_steps_is_refused(
    small_objective: Objectives, small_stream: Streams, kept_states: Any
) -> None:
    trained(small_objective("at", "always"), small_stream(1), callbacks=[kept_states])
    run = run_of(small_objective("at", "always"), resume=kept_states.at((0, 3)))
    with pytest.raises(UserError, match=r"step 3 .* 2 steps .*batch size"):
        run.start(2)


def test_the_optimisation_of_an_unknown_player_is_refused(
    small_network: Networks, small_stream: Streams
) -> None:
    objective, stream = Supervised(small_network(0)), small_stream(0)
    with pytest.raises(UserError, match=r"'teacher'.* known: student"):
        fit(objective, stream, epochs=1, optimisation={"teacher": Optimisation()})


def test_resuming_after_the_last_epoch_trains_no_more(
    small_network: Networks, small_stream: Streams
) -> None:
    states: list[dict[str, Any]] = []

    class Keep(Callback):
        def on_epoch(self, run: Run) -> None:
            states.append(copy.deepcopy(run.state()))

    history, state = trained(Supervised(small_network(0)), small_stream(1), callbacks=[Keep()])
    again = trained(Supervised(small_network(3)), small_stream(1), resume=states[-1])
    assert again[0] == history
    assert_identical(again[1], state)


def test_training_learns_its_images(small_network: Networks, small_stream: Streams) -> None:
    settings = {"student": Optimisation(lr=0.05)}
    objective = Supervised(small_network(0))
    history = fit(objective, small_stream(0), epochs=30, optimisation=settings)
    assert history[-1]["cross_entropy"] < 0.3 * history[0]["cross_entropy"]


def test_the_history_holds_means_weighted_by_batch_size(
    small_objective: Objectives, small_stream: Streams
) -> None:
    still = {name: Optimisation(lr=1e-30) for name in ("student", "router")}
    objective = small_objective("at", "adaptive")
    (record,) = fit(objective, small_stream(0), epochs=1, optimisation=still)
    objective = small_objective("at", "adaptive").train()
    sums: dict[str, float] = {}
    for batch in small_stream(0).epoch(0):
        for name, value in objective(batch).terms.items():
            sums[name] = sums.get(name, 0.0) + float(value) * len(batch.labels)
    assert record.pop("epoch") == 1
    assert record == pytest.approx({name: total / 20 for name, total in sums.items()}, rel=1e-5)


def test_callbacks_see_start_steps_and_epochs_in_order(
    small_network: Networks, small_stream: Streams
) -> None:
    seen: list[tuple[str, str, int]] = []

    class Watch(Callback):
        def __init__(self, name: str) -> None:
            self.name = name

        def on_start(self, run: Run) -> None:
            seen.append((self.name, "start", len(run.history)))

        def on_step(self, run: Run) -> None:
            seen.append((self.name, "step", len(run.history)))

        def on_epoch(self, run: Run) -> None:
            assert (run.epochs, run.steps) == (2, 3)
            seen.append((self.name, "epoch", len(run.history)))

    watches = iter([Watch("a"), Watch("b")])
    fit(Supervised(small_network(0)), small_stream(0), epochs=2, callbacks=watches)
    events = [("start", 0)]
    for epoch in range(2):
        events += [("step", epoch)] * 3 + [("epoch", epoch + 1)]
    assert seen == [(name, *event) for event in events for name in "ab"]


def test_evaluation_is_recorded_and_does_not_disturb_training(
    small_objective: Objectives, small_stream: Streams
) -> None:
    def evaluate(network: nn.Module) -> dict[str, float]:
        network.eval()
        return {"val_top1": 0.5}

    history, state = trained(small_objective("at", "anti"), small_stream(1), evaluate=evaluate)
    plain = trained(small_objective("at", "anti"), small_stream(1))
    assert [record.pop("val_top1") for record in history] == [0.5] * EPOCHS
    assert history == plain[0]
    assert_identical(state, plain[1])


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_is_named_with_its_epoch(
    value: float, small_network: Networks, small_stream: Streams
) -> None:
    class Diverging(Supervised):
        def forward(self, batch: Any, teacher: Any = None) -> Any:
            result = super().forward(batch)
            steps.append(1)
            factor = value if len(steps) > len(small_stream(0)) else 1.0
            return result._replace(terms={"weird": result.terms["cross_entropy"] * factor})

    steps: list[int] = []
    with pytest.raises(UserError, match=f"weird is {value} in epoch 2"):
        fit(Diverging(small_network(0)), small_stream(0), epochs=3)
    assert len(steps) == 2 * len(small_stream(0))


class Forgetful(nn.Module):
    """A classifier with dropout."""

    def __init__(self, classes: int) -> None:
        """Start from the same weights every time."""
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.layers = nn.Sequential(
                nn.Flatten(), nn.LazyLinear(16), nn.Dropout(0.5), nn.Linear(16, classes)
            )

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


def test_dropout_follows_the_seed_and_a_resume_and_leaves_the_random_state_alone(
    small_stream: Streams, kept_states: Any
) -> None:
    def problem() -> Supervised:
        images = next(small_stream(1).epoch(0)).images
        network = Forgetful(classes=10)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            network(images)  # lazy layers take their shape and weights
        return Supervised(network)

    before = torch.get_rng_state()
    whole = trained(problem(), small_stream(1), callbacks=[kept_states])
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(7)  # the caller's own draws have no influence
    resumed = trained(problem(), small_stream(1), resume=kept_states.at((1, 1)))
    assert resumed[0] == whole[0]
    assert_identical(resumed[1], whole[1])


@pytest.mark.parametrize("method", ["kd", "at"])
def test_with_all_gates_open_a_router_leaves_its_student_as_plain_distillation_does(
    method: str, small_objective: Objectives, small_stream: Streams
) -> None:
    plain, routed = small_objective(method, "always"), small_objective(method, "adaptive")
    routed.router.policy.favour_distilling(1000.0)
    for objective in (plain, routed):
        fit(objective, small_stream(1), epochs=2)
    assert_identical(plain.network.state_dict(), routed.network.state_dict())
