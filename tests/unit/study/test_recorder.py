"""The files that the recorder keeps of a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from sakd.study.bench import Bench
from sakd.study.checkpoints import Checkpoints
from sakd.study.recorder import Recorder, best_epoch
from sakd.study.store import Entry
from sakd.study.trainings import Training
from sakd.tasks.classification import Classification
from sakd.training import Callback, Run, train
from sakd.weights.saved import load_weights

Make = Callable[..., Training]


class Witness(Callback):
    """Copy the true weights after every epoch; note the epochs of checkpoints and best weights."""

    def __init__(self, entry: Entry) -> None:
        """Watch ``entry``."""
        self.entry = entry
        self.weights: list[dict[str, Tensor]] = []
        self.checkpoints: list[int] = []
        self.best: list[int] = []
        self.steps: list[tuple[int, int]] = []

    def on_step(self, run: Run) -> None:
        """Note the place of the checkpoint: epochs that are finished, and steps."""
        if (state := self.entry.checkpoints.read("key")) is not None:
            place = len(state["history"]), state["taken"]
            self.steps += [place] if place not in self.steps else []

    def on_epoch(self, run: Run) -> None:
        """Copy and note."""
        state = run.objective.network.state_dict()
        self.weights.append({name: value.clone() for name, value in state.items()})
        checkpoint = self.entry.checkpoints.read("key")
        self.checkpoints.append(len(checkpoint["history"]) if checkpoint else 0)
        there = self.entry.best.is_file()
        self.best.append(load_weights(self.entry.best).card["epoch"] if there else 0)


@pytest.fixture
def recorded(make_training: Make, bench: Bench) -> Callable[..., tuple[Entry, Witness]]:
    """Train one epoch for each score on validation."""

    def run(
        scores: list[float], *others: Callback, among: int = 1, **recipe: Any
    ) -> tuple[Entry, Witness]:
        class Named(Training):
            key = "key"

        made = make_training("none", "none", epochs=len(scores), **recipe)
        training = Named(**vars(made))
        entry, coming = bench.entry(training), iter(scores)
        witness = Witness(entry)
        one = Run(
            training.build(None),
            epochs=len(scores),
            evaluate=lambda _network: {"val_top1": next(coming)},
            callbacks=[*others, Recorder(training, bench, among=among), witness],
        )
        train([one], bench.stream(training))
        assert one.failure is None
        return entry, witness

    return run


def equal(entry_state: Any, true: dict[str, Tensor]) -> bool:
    return all(torch.equal(entry_state[name], true[name]) for name in true)


def test_the_best_epoch_and_the_last_ones_are_kept_as_they_were(recorded: Any) -> None:
    entry, seen = recorded([0.2, 0.6, 0.6, 0.4], keep_epochs=2, checkpoint_seconds=1e9)
    best = load_weights(entry.best)
    assert best.card["epoch"] == 2
    assert equal(best.state, seen.weights[1])
    kept = {int(path.stem): path for path in entry.epochs.glob("*.safetensors")}
    assert set(kept) == {3, 4}
    assert all(equal(load_weights(kept[k]).state, seen.weights[k - 1]) for k in kept)
    assert not any(seen.checkpoints)


def test_checkpoints_are_written_when_due_but_not_at_the_end(recorded: Any) -> None:
    _, seen = recorded([0.1, 0.3, 0.3], keep_epochs=1, checkpoint_seconds=0.0)
    assert seen.checkpoints == [1, 2, 0]
    assert seen.best == [1, 2, 2]


def test_checkpoints_are_written_within_an_epoch_after_as_many_steps_as_asked(
    recorded: Any,
) -> None:
    _, seen = recorded([0.1, 0.3], checkpoint_seconds=1e9, checkpoint_steps=2)
    assert seen.steps == [(0, 2), (0, 4), (1, 2), (1, 4)]
    _, seen = recorded([0.1, 0.3], checkpoint_seconds=0)
    assert seen.steps == [(1, 0)], "at the end of an epoch alone"


@pytest.mark.parametrize(
    ("takes", "among", "places"),
    [
        (0.0, 1, [(0, 3), (1, 1), (1, 4)]),
        (0.25, 1, [(0, 3), (1, 2)]),  # 12.5 s, of which it takes 2 %
        (0.25, 2, [(0, 3), (1, 5)]),
        (2.0, 1, [(0, 3)]),
    ],
)
def test_checkpoints_are_written_within_an_epoch_when_due_and_take_two_percent_of_the_time(
    recorded: Any,
    takes: float,
    among: int,
    places: list[tuple[int, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    plain = Checkpoints.write

    def write(self: Checkpoints, state: Any) -> None:
        plain(self, state)
        now[0] += takes

    class Slow(Callback):
        """Let a step take four seconds."""

        def on_step(self, run: Run) -> None:
            now[0] += 4

    monkeypatch.setattr(Checkpoints, "write", write)
    monkeypatch.setattr("sakd.study.cadence.time", SimpleNamespace(monotonic=lambda: now[0]))
    _, seen = recorded([0.1, 0.3], Slow(), among=among, checkpoint_seconds=10.0)
    assert seen.steps == places


@pytest.mark.parametrize(
    ("scores", "best"), [([0.1, 0.3, 0.3], 2), ([0.5, 0.1], 1), ([0.1, 0.2, 0.3], 3)]
)
def test_the_first_of_equally_good_epochs_is_the_best(
    make_training: Make, scores: list[float], best: int
) -> None:
    history = [{"val_top1": score} for score in scores]
    assert best_epoch(make_training(), history) == best


def test_where_lower_is_better_the_lowest_is_the_best(make_training: Make) -> None:
    class Error(Classification):
        metric = "error"
        higher_is_better = False

    training = replace(make_training(), task=Error())
    assert best_epoch(training, [{"val_error": e} for e in (0.3, 0.1, 0.1, 0.2)]) == 2
