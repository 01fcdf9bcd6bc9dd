"""A checkpoint that its training cannot have left is passed over, with a warning."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from sakd.data import Prepared, Splits
from sakd.foundation.vocabulary import DONE
from sakd.study.bench import Bench
from sakd.study.store import CellStore, Entry
from sakd.study.train import run_training
from sakd.study.trainings import Training
from sakd.training import Callback, Run
from sakd.training.progress import Progress
from sakd.training.tally import Tally
from sakd.weights.saved import load_weights

Make = Callable[..., Training]
State = dict[str, Any]
Same = Callable[[Any, Any], bool]


class Stopped(Progress):
    """A user who presses Ctrl-C in the second epoch."""

    def of(self, name: str, number: int = 0) -> tuple[Callback, ...]:
        class Key(Callback):
            def on_step(self, run: Run) -> None:
                if (len(run.history), run.taken) == (1, 2):
                    raise KeyboardInterrupt

        return (Key(),)


@pytest.fixture(scope="module")
def training(make_training: Make) -> Training:
    return make_training("kd", "adaptive", epochs=2, ema=0.9)


def bench_in(folder: Path, splits: Splits) -> Bench:
    return Bench(Prepared(splits.val, splits.card), CellStore(folder), torch.device("cpu"))


@pytest.fixture(scope="module")
def stopped(training: Training, splits: Splits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the checkpoints of a training that was stopped."""
    folder = tmp_path_factory.mktemp("stopped")
    with pytest.raises(KeyboardInterrupt):
        run_training(training, bench_in(folder, splits), Stopped("toys", 1))
    return folder


@pytest.fixture(scope="module")
def whole(
    training: Training, splits: Splits, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Any]:
    """The weights of the same training, undisturbed."""
    bench = bench_in(tmp_path_factory.mktemp("whole"), splits)
    run_training(training, bench, Progress("toys", 1))
    return load_weights(bench.entry(training).last).state


def optimiser(state: State) -> State:
    (player, *_) = state["players"].values()
    found: State = player["optimiser"]
    return found


def weight(state: State) -> tuple[State, str]:
    tensors = state["objective"]
    return tensors, next(n for n, value in tensors.items() if value.dim() > 1)


def put(place: Callable[[State], tuple[Any, Any]], change: Callable[[Any], Any]) -> Any:
    def forge(state: State) -> None:
        inside, name = place(state)
        inside[name] = change(inside[name])

    return forge


def momentum(state: State) -> tuple[State, str]:
    return next(iter(optimiser(state)["state"].values())), "momentum_buffer"


def group(name: str) -> Callable[[State], tuple[State, str]]:
    return lambda state: (optimiser(state)["param_groups"][0], name)


def player(state: State) -> tuple[State, str]:
    return next(iter(state["players"].values())), "ended"


def sums(state: State) -> tuple[list[Any], int]:
    return state["means"], 0


def own(name: str) -> Callable[[State], tuple[State, str]]:
    return lambda state: (state, name)


def average(state: State) -> tuple[State, str]:
    return state["average"], next(iter(state["average"]))


def without(name: str) -> Any:
    return lambda state: state.pop(name)


FORGED = {
    "no weights": (without("objective"), "objective"),
    "no players": (without("players"), "players"),
    "no history": (without("history"), "history"),
    "no phase": (without("phase"), "it has no phase"),
    "no step": (without("taken"), "it has no taken"),
    "no means": (without("means"), "it has no means"),
    "no time": (without("seconds"), "seconds"),
    "no average": (without("average"), "average"),
    "endless time": (put(own("seconds"), lambda _: math.inf), "inf seconds"),
    "text for time": (put(own("seconds"), str), "seconds takes"),
    "negative step": (put(own("taken"), lambda _: -1), "step -1"),
    "half a step": (put(own("taken"), lambda _: 1.5), "taken takes"),
    "another phase": (put(own("phase"), lambda _: 1), "phase 1"),
    "phase from the end": (put(own("phase"), lambda _: -1), "phase -1"),
    "epochs of another place": (
        put(own("history"), lambda each: [{**each[0], "epoch": 2}]),
        r"epochs are \[2\]",
    ),
    "epochs beyond the end": (
        put(own("history"), lambda each: [{**each[0], "epoch": k} for k in range(1, 10)]),
        "ended 9 epochs",
    ),
    "no epochs": (put(own("history"), lambda _: []), "has ended 1 epochs"),
    "history of other columns": (
        put(own("history"), lambda _: [{"epoch": 1, "loss": 0.5}]),
        "val_top1",
    ),
    "history of texts": (
        put(own("history"), lambda each: [{**each[0], "val_top1": "high"}]),
        "real number",
    ),
    "history not finite": (
        put(own("history"), lambda each: [{**each[0], "val_top1": math.nan}]),
        "val_top1 is not a number",
    ),
    "weights of another shape": (put(weight, lambda each: each[:1]), "of the shape"),
    "weights of another type": (put(weight, lambda each: each.double()), "float64"),
    "weights not finite": (put(weight, lambda each: each * math.nan), "not finite"),
    "a number for weights": (put(weight, lambda _: 0.5), "is no tensor"),
    "further weights": (lambda s: s["objective"].update(more=torch.zeros(1)), "more"),
    "fewer weights": (lambda s: s["objective"].pop(weight(s)[1]), "Missing key"),
    "rate that is no number": (put(group("lr"), lambda _: math.nan), "learning rate is nan"),
    "negative rate": (put(group("lr"), lambda rate: -rate), "learning rate is -"),
    "another momentum": (put(group("momentum"), lambda _: 0.5), "momentum is 0.5"),
    "no weight decay": (
        lambda s: optimiser(s)["param_groups"][0].pop("weight_decay"),
        "weight_dec",
    ),
    "fewer parameters": (put(group("params"), lambda each: each[1:]), "parameter group"),
    "momentum of another shape": (put(momentum, lambda each: each.sum()[None]), "of the shape"),
    "momentum in whole numbers": (put(momentum, lambda each: each.int()), "int32"),
    "momentum not finite": (put(momentum, lambda each: each / 0), "not finite"),
    "momentum of nobody": (lambda s: optimiser(s)["state"].update({999: {}}), "parameter 999"),
    "rate ahead of the epochs": (put(player, lambda ended: ended + 1), "has ended 2 epochs"),
    "sums of another length": (
        put(sums, lambda each: (each[0], each[1][:1], *each[2:])),
        "another form",
    ),
    "steps twice": (put(sums, lambda each: (*each[:4], [1, 1])), r"steps \[1, 1\]"),
    "average of another shape": (put(average, lambda each: each.reshape(-1)[:1]), "of the shape"),
    "decisions on fewer images": (
        put(own("tally"), lambda each: [each[0][:1]]),
        "counts is of the shape",
    ),
}


class Ground(NamedTuple):
    """A training that was stopped, and the weights that it has undisturbed."""

    training: Training
    bench: Bench
    whole: Mapping[str, Any]

    @property
    def entry(self) -> Entry:
        return self.bench.entry(self.training)

    def forge(self, change: Callable[[State], object], *names: str) -> None:
        state = self.entry.checkpoints.read(self.training.key)
        assert state is not None
        change(state)
        for name in names:
            torch.save(state, self.entry.folder / name)

    def go_on(self) -> Mapping[str, Any]:
        assert run_training(self.training, self.bench, Progress("toys", 1)).status == DONE
        return load_weights(self.entry.last).state


@pytest.fixture
def ground(
    training: Training, splits: Splits, stopped: Path, whole: Mapping[str, Any], tmp_path: Path
) -> Ground:
    shutil.copytree(stopped, tmp_path, dirs_exist_ok=True)
    return Ground(training, bench_in(tmp_path, splits), whole)


@pytest.mark.parametrize(("forge", "fault"), FORGED.values(), ids=FORGED)
def test_a_forged_checkpoint_is_passed_over(
    forge: Callable[[State], object],
    fault: str,
    ground: Ground,
    same: Same,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ground.forge(forge, "checkpoint.pt")
    assert same(ground.go_on(), ground.whole)
    (told,) = (message for message in caplog.messages if "not of this training" in message)
    words = f"{ground.training.title}: .*{fault}.*: the checkpoint before it is taken"
    assert re.search(words, told), told


def test_a_fault_of_the_code_is_named_with_its_place(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def restore(_tally: Tally, _state: object) -> None:
        _state.no_such_name  # type: ignore[attr-defined]  # noqa: B018

    monkeypatch.setattr(Tally, "restore", restore)
    ground.go_on()
    first, *_ = caplog.messages
    assert re.search(rf"no_such_name.*, AttributeError in line \d+ of {__file__}: ", first), first


def test_a_forged_state_has_no_place_where_its_fault_is_declared(
    ground: Ground, caplog: pytest.LogCaptureFixture
) -> None:
    ground.forge(put(own("phase"), lambda _: 1), "checkpoint.pt")
    ground.go_on()
    (told,) = caplog.messages
    assert "phase 1" in told
    assert "line" not in told


def test_where_both_are_forged_the_training_begins_again(
    ground: Ground, same: Same, caplog: pytest.LogCaptureFixture
) -> None:
    ground.forge(without("players"), "checkpoint.pt", "previous.pt")
    assert same(ground.go_on(), ground.whole)
    assert caplog.text.count("not of this training") == len(("checkpoint.pt", "previous.pt"))


def test_a_checkpoint_of_this_training_is_taken(
    ground: Ground, same: Same, caplog: pytest.LogCaptureFixture
) -> None:
    assert same(ground.go_on(), ground.whole)
    assert caplog.messages == []
