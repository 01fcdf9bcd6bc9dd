"""Phases of a training: its players, terms and optimisers change, and all else goes on."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sakd.data import Batch, BatchStream
from sakd.distillers import DISTILLERS, Distiller
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork
from sakd.objectives import (
    DataFacts,
    Distillation,
    Objective,
    Optimisation,
    Outputs,
    Phase,
    PhasedDistillation,
    Player,
    StepResult,
    distil,
)
from sakd.training import Callback, Run, train
from sakd.training.progress import describe

Streams = Callable[..., BatchStream]
Networks = Callable[..., StagedNetwork]
Make = Callable[..., PhasedDistillation]

PHASED = [name for name, kind in DISTILLERS.items() if kind.phases is not Distiller.phases]

EPOCHS = 7  # two in the first phase, and five in the second
STEADY = Optimisation(0.01, milestones=())


class Halves(Objective):
    """Train a first layer to give noise, and then a second one to tell labels."""

    def __init__(self, shares: tuple[float, ...] = (1, 3), seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.first, self.second = nn.Linear(192, 4), nn.Linear(4, 5)
        self.shares, self.present = shares, 0

    @property
    def network(self) -> nn.Module:
        """Both layers."""
        return self

    def phases(self) -> tuple[Phase, ...]:
        """Name them."""
        return tuple(map(Phase, ("noise", "labels", "more"), self.shares))

    def enter(self, phase: int) -> None:
        """Switch."""
        self.present = phase

    def players(self) -> dict[str, Player]:
        """Name the layer that learns."""
        layer = (self.first, self.second)[self.present]
        return {("early", "late")[self.present]: Player(list(layer.parameters()))}

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the loss of the phase."""
        hidden = self.first(batch.images.flatten(1))
        if self.present:
            noise = torch.rand((), generator=batch.draws("labels"))
            loss = nn.functional.cross_entropy(self.second(hidden), batch.labels) * noise
            return StepResult({"late": loss}, {"labels": loss.detach(), "noise": noise})
        goal = torch.randn(hidden.shape, generator=batch.draws("noise"))
        loss = (hidden - goal).square().mean()
        return StepResult({"early": loss}, {"noise": loss.detach()})


def run_of(*, seed: int = 0, lr: float = 0.01, **options: Any) -> Run:
    recipes = dict.fromkeys(("early", "late"), Optimisation(lr, milestones=(0.5,)))
    return Run(Halves(seed=seed), **{"epochs": EPOCHS, "optimisation": recipes, **options})


def trained(stream: BatchStream, **options: Any) -> Run:
    run = run_of(**options)
    train([run], stream)
    assert run.failure is None
    return run


def assert_same(one: Run, other: Run) -> None:
    assert one.history == other.history
    ours, theirs = one.objective.state_dict(), other.objective.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


class Watch(Callback):
    """Keep the states, the weights and the rates after each epoch."""

    def __init__(self) -> None:
        self.states: list[bytes] = []
        self.weights: list[dict[str, Tensor]] = []
        self.rates: list[dict[str, tuple[float, ...]]] = []

    def on_epoch(self, run: Run) -> None:
        """Keep."""
        file = io.BytesIO()
        torch.save(run.state(), file)
        self.states.append(file.getvalue())
        self.weights.append(copy.deepcopy(run.objective.state_dict()))
        self.rates.append({name: player.rates for name, player in run.players.items()})


def test_each_phase_has_its_players_its_terms_and_its_schedule(small_stream: Streams) -> None:
    watch = Watch()
    history = trained(small_stream(1), callbacks=[watch]).history
    assert [record["epoch"] for record in history] == [1, 2, 3, 4, 5, 6, 7]
    terms = [sorted(set(record) - {"epoch"}) for record in history]
    assert terms == [["noise"]] * 2 + [["labels", "noise"]] * 5
    assert history[2]["noise"] < 1  # of its own epoch alone
    early, late = [0.001] * 2, [0.01, 0.001, 0.001, 0.001, 0.001]
    rates = [(name, *found) for record in watch.rates for name, found in record.items()]
    assert [name for name, _ in rates] == ["early"] * 2 + ["late"] * 5
    assert [rate for _, rate in rates] == pytest.approx([*early, *late])
    for before, after in zip(watch.weights, watch.weights[1:], strict=False):
        moved = {name for name in before if not torch.equal(before[name], after[name])}
        layer = "first" if after is watch.weights[1] else "second"
        assert moved == {f"{layer}.weight", f"{layer}.bias"}


def test_progress_names_the_phase_of_the_last_epoch(small_stream: Streams) -> None:
    words: list[str] = []

    class Say(Callback):
        def on_epoch(self, run: Run) -> None:
            words.append(describe(run))

    trained(small_stream(1), callbacks=[Say()])
    assert words == ["noise"] * 2 + ["labels"] * 5


@pytest.mark.parametrize("epoch", range(1, EPOCHS))
def test_it_resumes_in_a_phase_and_between_two_to_the_bit(
    epoch: int, small_stream: Streams
) -> None:
    watch = Watch()
    whole = trained(small_stream(1), callbacks=[watch])
    state = torch.load(io.BytesIO(watch.states[epoch - 1]), weights_only=True)
    assert_same(trained(small_stream(1), seed=5, resume=state), whole)


def test_neighbours_in_other_phases_change_nothing(small_stream: Streams) -> None:
    alone = trained(small_stream(1))
    runs = [run_of(seed=3, epochs=2), run_of(), run_of(seed=4, lr=1e30), run_of(seed=5, epochs=12)]
    train(runs, small_stream(1))
    assert_same(runs[1], alone)
    assert "lower the learning rate" in str(runs[2].failure)
    assert [len(run.history) for run in (runs[0], runs[3])] == [2, 12]


def test_no_recorded_step_is_repeated_in_another_phase(small_stream: Streams, tape: Any) -> None:
    steady = {"optimisation": dict.fromkeys(("early", "late"), STEADY), "epochs": 12}
    plain, recorded = run_of(**steady), run_of(**steady)
    train([plain], small_stream(1), graph=False)
    train([recorded], small_stream(1), graph=True)
    assert tape.plays == [4, 1, 16, 7]  # of 3 and 9 epochs of 8, 8 and 4 images
    assert_same(recorded, plain)


@pytest.mark.parametrize(
    ("shares", "epochs", "enough"), [((1, 1), 1, 2), ((1, 3), 1, 2), ((1, 9), 4, 5)]
)
def test_fewer_epochs_than_the_phases_need_are_refused(
    shares: tuple[float, ...], epochs: int, enough: int
) -> None:
    with pytest.raises(UserError, match=rf"{epochs} epochs? .* noise, labels: take {enough}"):
        Run(Halves(shares), epochs=epochs)
    assert Run(Halves(shares), epochs=enough)


def test_a_recipe_is_for_a_player_of_some_phase() -> None:
    with pytest.raises(UserError, match=r"'router'.* known: early, late"):
        run_of(optimisation={"router": STEADY})


def test_the_players_of_later_phases_have_no_optimisers_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []
    monkeypatch.setattr(Halves, "watch", lambda _, optimisers: made.extend(optimisers))
    run = run_of()
    assert made == list(run.players) == ["early"]


@pytest.fixture(params=[0, 1], ids=["computed", "kept"])
def make(small_network: Networks, request: pytest.FixtureRequest) -> Make:
    """Distil in phases from one teacher, the same object every time; outputs are kept or not."""
    teacher = small_network(99, (4, 6, 8, 10))

    def build(method: str, policy: str = "adaptive", seed: int = 0) -> PhasedDistillation:
        torch.manual_seed(seed)
        facts = DataFacts((3, 8, 8), torch.arange(20) % 5)
        how = Distillation(keep_outputs_mb=request.param)
        return distil(small_network(seed), teacher, method, policy, facts, distillation=how)

    return build


@pytest.mark.parametrize("method", PHASED)
def test_distillation_resumes_in_a_phase_and_between_two_to_the_bit(
    method: str, make: Make, small_stream: Streams, kept_states: Any
) -> None:
    whole = Run(make(method), epochs=8, callbacks=[kept_states])
    train([whole], small_stream(1))
    places = [(0, 1), *((epoch, step) for epoch in range(1, 8) for step in (0, 1, 3))]
    beside = [Run(make(method, seed=7), epochs=8, resume=kept_states.at(place)) for place in places]
    train(beside, small_stream(1))
    for resumed in beside:
        assert resumed.failure is None
        assert_same(resumed, whole)


@pytest.mark.parametrize("method", PHASED)
def test_distillation_in_other_phases_beside_it_changes_nothing(
    method: str, make: Make, small_stream: Streams, tape: Any
) -> None:
    alone = Run(make(method), epochs=8)
    train([alone], small_stream(1))
    for graph in (False, True):
        runs = [
            Run(make(name, policy, seed=k), epochs=epochs)
            for k, (name, policy, epochs) in enumerate(
                [(method, "adaptive", 8), ("projection", "always", 5), ("sskd", "random", 13)]
            )
        ]
        train(runs, small_stream(1), graph=graph)
        assert [run.failure for run in runs] == [None] * 3
        assert_same(runs[0], alone)
        assert bool(tape.plays) is graph


def test_a_phase_without_a_teacher_runs_none(make: Make, small_stream: Streams) -> None:
    objective = make("sskd", "always")
    run, sizes = Run(objective, epochs=8), list[int]()
    teacher = objective.problems[0].teacher
    handle = teacher.stem.register_forward_hook(lambda *_: sizes.append(len(run.history)))
    train([run], small_stream(1))
    handle.remove()
    assert max(sizes) < 6  # the head has the last two epochs
