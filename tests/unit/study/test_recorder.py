"""What the recorder keeps of a training, and how progress is told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from sakd.data import BatchStream
from sakd.networks import StagedNetwork
from sakd.objectives import Supervised
from sakd.study.recorder import Recorder, best_epoch
from sakd.training import Callback, Optimisation, Run, fit
from sakd.training.progress import Progress, describe

Streams = Callable[..., BatchStream]
Networks = Callable[..., StagedNetwork]


class Shelf:
    """A sink in memory."""

    def __init__(self) -> None:
        """Start empty."""
        self.epochs: dict[int, dict[str, Tensor]] = {}
        self.best: tuple[int, dict[str, Tensor]] | None = None
        self.best_epochs: list[int] = []
        self.checkpoints: list[int] = []

    def save_epoch(self, epoch: int, state: dict[str, Tensor]) -> None:
        """Keep."""
        self.epochs[epoch] = state

    def save_best(self, epoch: int, state: dict[str, Tensor]) -> None:
        """Keep."""
        self.best = (epoch, state)
        self.best_epochs.append(epoch)

    def save_checkpoint(self, state: Mapping[str, Any]) -> None:
        """Keep."""
        self.checkpoints.append(len(state["history"]))


def recorded(
    network: StagedNetwork, stream: BatchStream, scores: Iterable[float], **options: Any
) -> tuple[Shelf, list[dict[str, Tensor]]]:
    """Train an epoch per score; the shelf, and the true weights after every epoch."""
    shelf, weights, coming = Shelf(), [], iter(scores := list(scores))

    class Witness(Callback):
        def on_epoch(self, run: Run) -> None:
            state = run.objective.network.state_dict()
            weights.append({name: value.clone() for name, value in state.items()})

    fit(
        Supervised(network),
        stream,
        epochs=len(scores),
        evaluate=lambda _network: {"val_top1": next(coming)},
        callbacks=[Recorder(shelf, **options), Witness()],
    )
    return shelf, weights


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in other)


def test_the_best_epoch_and_the_last_ones_are_kept_as_they_were(
    small_network: Networks, small_stream: Streams
) -> None:
    scores = [0.2, 0.6, 0.6, 0.4]
    shelf, weights = recorded(
        small_network(0), small_stream(0), scores, keep_epochs=2, checkpoint_seconds=1e9
    )
    assert shelf.best is not None
    assert shelf.best[0] == 2
    assert equal(shelf.best[1], weights[1])
    assert set(shelf.epochs) == {3, 4}
    assert all(equal(state, weights[epoch - 1]) for epoch, state in shelf.epochs.items())
    assert shelf.checkpoints == []


def test_checkpoints_are_written_when_due_but_not_at_the_end(
    small_network: Networks, small_stream: Streams
) -> None:
    scores = [0.1, 0.3, 0.3]
    shelf, _ = recorded(
        small_network(0), small_stream(0), scores, keep_epochs=1, checkpoint_seconds=0.0
    )
    assert shelf.checkpoints == [1, 2]
    assert shelf.best_epochs == [1, 2]  # and not again at the end


@pytest.mark.parametrize(
    ("scores", "best"), [([0.1, 0.3, 0.3], 2), ([0.5, 0.1], 1), ([0.1, 0.2, 0.3], 3)]
)
def test_the_first_of_equally_good_epochs_is_the_best(scores: list[float], best: int) -> None:
    assert best_epoch([{"val_top1": score} for score in scores], "val_top1") == best


@pytest.mark.parametrize(
    ("rates", "routed", "expected"),
    [
        ((1.0, 0.995), True, "gate 1.00/0.99, router collapsed to always"),
        ((0.0, 0.005), True, "gate 0.00/0.01, router collapsed to never"),
        ((1.0, 0.3), True, "gate 1.00/0.30"),
        ((1.0, 1.0), False, ""),
    ],
)
def test_a_collapsed_router_is_named(
    rates: tuple[float, float], routed: bool, expected: str, small_network: Networks
) -> None:
    run = Run(Supervised(small_network(0)), {"student": Optimisation()}, 1, 1)
    record = {"gate_rate/stage1": rates[0], "gate_rate/logits": rates[1]}
    run.history.append(record | ({"routing": 1.0} if routed else {}))
    assert describe(run) == expected


def test_without_a_terminal_a_training_ends_with_one_line(
    small_network: Networks, small_stream: Streams, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sakd")
    with Progress("students", 2) as progress:
        fit(
            Supervised(small_network(0)),
            small_stream(0),
            epochs=3,
            evaluate=lambda _network: {"val_top1": 0.25},
            callbacks=progress.of("digits-kd"),
        )
        progress.done()
    (line,) = caplog.messages
    assert line.startswith("students 1/2: digits-kd: epoch 3/3, val 25.00 %")
