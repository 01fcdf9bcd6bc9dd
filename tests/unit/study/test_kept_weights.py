"""A training keeps the weights of its best, its last and its final epochs, with their cards."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from safetensors.torch import load_file

from sakd.data import DataCard, Splits
from sakd.study.bench import Bench
from sakd.study.train import run_training
from sakd.study.trainings import Training
from sakd.tasks.classification import Classification
from sakd.training.progress import Progress
from sakd.weights.saved import load_weights

Make = Callable[..., Training]
Same = Callable[[Any, Any], bool]


@pytest.mark.parametrize(
    ("values", "best"),
    [([0.5, 0.75, 0.25], 2), ([0.5, 0.75, 0.75], 2), ([0.5, 0.5, 0.5], 1), ([0.0, 0.5, 1.0], 3)],
)
def test_the_best_weights_are_those_of_the_first_epoch_with_the_highest_val(
    make_training: Make,
    bench: Bench,
    progress: Progress,
    same: Same,
    monkeypatch: pytest.MonkeyPatch,
    values: list[float],
    best: int,
) -> None:
    script = iter(values)
    task = Classification()
    monkeypatch.setattr(task, "measures", lambda *_: {"top1": next(script)})
    training = replace(make_training(epochs=3, keep_epochs=3), task=task)
    record = run_training(training, bench, progress)
    entry = bench.entry(training)
    assert record.best_epoch == best
    assert record.val_metric == values[-1]
    kept = load_file(entry.epochs / f"{best:04d}.safetensors")
    assert same(load_file(entry.best), kept)
    assert load_weights(entry.best).card["epoch"] == best


@pytest.mark.parametrize(("keep", "kept"), [(0, []), (1, ["0003"]), (9, ["0001", "0002", "0003"])])
def test_the_weights_of_the_last_epochs_are_kept(
    make_training: Make, bench: Bench, progress: Progress, keep: int, kept: list[str]
) -> None:
    training = make_training(epochs=3, keep_epochs=keep)
    run_training(training, bench, progress)
    entry = bench.entry(training)
    assert sorted(path.stem for path in entry.epochs.glob("*.safetensors")) == kept


def test_the_last_kept_epoch_is_the_last(
    make_training: Make, bench: Bench, progress: Progress, same: Same
) -> None:
    training = make_training()
    run_training(training, bench, progress)
    entry = bench.entry(training)
    assert same(load_file(entry.last), load_file(entry.epochs / "0002.safetensors"))


def test_the_card_describes_the_weights(
    make_training: Make, bench: Bench, splits: Splits, progress: Progress
) -> None:
    training = make_training("kd", "always", 5, keep_epochs=2)
    run_training(training, bench, progress)
    entry = bench.entry(training)
    card = load_weights(entry.last).card
    assert card["network"] == "resnet8"
    assert card["seed"] == 5
    assert card["epoch"] == 2
    assert card["metrics"] == entry.history()[1]
    assert load_weights(entry.epochs / "0001.safetensors").card["metrics"] == entry.history()[0]
    assert DataCard.from_json(card["data"]) == splits.card
    assert card["facts"] == training.facts
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|unknown", card["provenance"]["git_revision"])
    assert {"sakd", "torch", "python", "device", "threads"} <= card["provenance"].keys()
