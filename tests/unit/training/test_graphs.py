"""Steps from CUDA graphs, on a GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from sakd.data import Batch, BatchStream
from sakd.distillers import DISTILLERS
from sakd.objectives import SpotDistillation, Supervised
from sakd.training import Precision, Run, train
from sakd.training.capture.graphs import recorder_for
from unit.repeated import ON_A_GPU, assert_close, few_images, run_of

pytestmark = ON_A_GPU

Objectives = Callable[..., SpotDistillation]
METHODS = [name for name in DISTILLERS if name != "kdsvd"]


@pytest.fixture
def stream() -> BatchStream:
    """20 images in batches of 8, 8 and 4."""
    return few_images()


@pytest.fixture
def replays(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grow by an entry whenever a graph is replayed."""
    found: list[int] = []
    replay = torch.cuda.CUDAGraph.replay

    def counted(graph: torch.cuda.CUDAGraph) -> None:
        found.append(1)
        replay(graph)

    monkeypatch.setattr(torch.cuda.CUDAGraph, "replay", counted)
    return found


@pytest.mark.parametrize("method", METHODS)
def test_steps_from_a_graph_are_those_without(
    method: str, small_objective: Objectives, stream: BatchStream, caplog: Any, replays: list[int]
) -> None:
    plain, repeated = (run_of(small_objective(method, "adaptive"), stream) for _ in "ab")
    replays.clear()  # of a pretraining
    train([plain], stream, graph=False)
    assert replays == []
    train([repeated], stream, graph=True)
    assert len(replays) == 8  # of 4 epochs of 8, 8 and 4 images, but for two of each size
    assert caplog.messages == []
    assert_close(repeated, plain)


def test_a_pack_from_a_graph_has_what_each_has_alone(
    small_objective: Objectives, stream: BatchStream, caplog: Any
) -> None:
    def make() -> list[Run]:
        pairs = [("at", "adaptive"), ("crd", "random"), ("kd", "always")] * 2
        runs = [run_of(small_objective(*pair, seed=k), stream) for k, pair in enumerate(pairs)]
        return [*runs, run_of(small_objective("sp", "adaptive"), stream, epochs=2)]

    alone, together = make(), make()
    for run in alone:
        train([run], stream, graph=False)
    train(together, stream, graph=True)
    assert caplog.messages == []
    for one, other in zip(together, alone, strict=True):
        assert_close(one, other)


class Classifier(nn.Module):
    """A linear classifier with dropout; it may look at its logits."""

    def __init__(self, *, looks: bool = False) -> None:
        super().__init__()
        self.looks = looks
        self.layers = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(192, 5))
        nn.init.constant_(self.layers[2].weight, 0.01)
        nn.init.zeros_(self.layers[2].bias)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.layers(images)
        return logits * (1 if not self.looks or logits.isfinite().all() else 0)


def test_dropout_in_a_pack_is_that_of_each_alone(stream: BatchStream) -> None:
    alone, together = ([run_of(Supervised(Classifier()), stream) for _ in "xy"] for _ in "ab")
    for run in alone:
        train([run], stream, graph=False)
    train(together, stream, graph=True)
    for one, other in zip(together, alone, strict=True):
        assert_close(one, other)


def test_a_network_that_makes_the_host_wait_is_trained_without_a_graph(
    stream: BatchStream, caplog: pytest.LogCaptureFixture
) -> None:
    run, other = (run_of(Supervised(Classifier(looks=looks)), stream) for looks in (True, False))
    train([run, other], stream, graph=True)
    (line,) = caplog.messages
    assert "_local_scalar_dense" in line
    assert (run.failure, other.failure) == (None, None)


def test_a_capture_that_fails_leaves_torch_and_the_networks_usable() -> None:
    recorder = recorder_for(torch.device("cuda"))
    assert recorder is not None
    x = torch.zeros(3, device="cuda")

    def look() -> None:
        x.add_(1)
        x.sum().item()

    recorder.rehearse(look)
    with pytest.raises(RuntimeError):
        recorder.record(look, [])
    assert x.tolist() == [1, 1, 1]
    torch.rand(3, device="cuda")  # torch's own generator is not left in a capture
    repeat = recorder.record(lambda: x.add_(1), [])
    repeat()
    repeat()
    assert x.tolist() == [3, 3, 3]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("half", [False, True])
def test_no_step_makes_the_host_wait(
    method: str, half: bool, small_objective: Objectives, stream: BatchStream
) -> None:
    precision = Precision(torch.bfloat16 if half else None, channels_last=half)
    run = run_of(small_objective(method, "adaptive"), stream, precision=precision)
    run.start(1)
    run.begin_epoch(stream)
    (batch, *_) = stream.epoch(0)
    run.step(precision.seen(batch))
    torch.cuda.set_sync_debug_mode("error")
    try:
        run.step(precision.seen(batch))
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("rounded", [False, True])
def test_gradients_are_rounded_as_forward_passes_are(
    rounded: bool, small_objective: Objectives, stream: BatchStream, monkeypatch: Any
) -> None:
    run = run_of(small_objective("at", "adaptive"), stream, precision=Precision(tf32=rounded))
    run.start(1)
    run.begin_epoch(stream)
    seen = []
    update = run.update

    def watched(losses: Any) -> None:
        seen.append(torch.backends.cudnn.allow_tf32)
        update(losses)

    monkeypatch.setattr(run, "update", watched)
    run.step(next(iter(stream.epoch(0))))
    assert seen == [rounded]


def test_no_batch_makes_the_host_wait(stream: BatchStream) -> None:
    batches = stream.epoch(0)
    next(batches)  # the order and the views of an epoch are sent at its start
    torch.cuda.set_sync_debug_mode("error")
    try:
        rest: list[Batch] = list(batches)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert len(rest) == 2
