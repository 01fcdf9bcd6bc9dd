"""Recorded steps give the bits of those that are not, whoever starts, ends or fails."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sakd.data import Augment, Batch, BatchStream, ImageSet
from sakd.distillers import DISTILLERS
from sakd.objectives import Objective, Optimisation, SpotDistillation, Supervised
from sakd.routing import POLICIES
from sakd.training import Callback, Precision, Run, pretrain, train
from sakd.training.capture import captured
from sakd.training.capture.draws import Draws
from sakd.training.capture.host import drawn_on_host

Objectives = Callable[..., SpotDistillation]
Streams = Callable[..., BatchStream]

METHODS = [d for d in DISTILLERS if d != "kdsvd"]  # it makes the host wait
CASES = sorted(
    {
        *((d, "adaptive") for d in METHODS),
        *(("at" if k.weighs else "crd", p) for p, k in POLICIES.items()),
    }
)


def run_of(objective: Objective, epochs: int = 3, *, falls: bool = False, **options: Any) -> Run:
    """Make a run; the learning rate stays, or falls in the middle."""
    recipe = Optimisation(milestones=(0.5,) if falls else ())
    players = objective.players().items()
    given = {name: recipe for name, player in players if type(player.optimisation) is Optimisation}
    return Run(objective, epochs=epochs, optimisation=given, **options)


def assert_same(one: Run, other: Run) -> None:
    assert (one.failure, other.failure) == (None, None)
    assert one.history == other.history
    assert_equal(one.objective.state_dict(), other.objective.state_dict())
    for name, player in one.players.items():
        state = other.players[name].state()["optimiser"]["state"]
        for key, buffers in player.state()["optimiser"]["state"].items():
            assert_equal(buffers, state[key])


def assert_equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


@pytest.mark.parametrize(("method", "policy"), CASES)
def test_recorded_steps_have_the_bits_of_others(
    method: str, policy: str, small_objective: Objectives, small_stream: Streams, tape: Any
) -> None:
    objectives = [small_objective(method, policy) for _ in range(2)]
    for objective in objectives:
        pretrain(objective, small_stream(1), graph=False)
    plain, recorded = map(run_of, objectives)
    train([plain], small_stream(1), graph=False)
    train([recorded], small_stream(1), graph=True)
    assert tape.plays == [4, 1]  # of three epochs of 8, 8 and 4 images, but for two of each size
    assert_same(recorded, plain)


def test_another_learning_rate_has_a_record_of_its_own(
    small_objective: Objectives, small_stream: Streams, tape: Any
) -> None:
    plain, recorded = (run_of(small_objective("at", "adaptive"), 6, falls=True) for _ in "ab")
    train([plain], small_stream(1), graph=False)
    train([recorded], small_stream(1), graph=True)
    assert tape.plays == [4, 1, 4, 1]
    assert_same(recorded, plain)


def test_a_pretraining_is_recorded_too(
    small_objective: Objectives, small_stream: Streams, tape: Any
) -> None:
    plain, recorded = (small_objective("ft", "always").pretrainings()["ft"] for _ in "ab")
    with plain.thawed(), recorded.thawed():
        runs = run_of(plain), run_of(recorded)
        train(runs[:1], small_stream(1), graph=False)
        train(runs[1:], small_stream(1), graph=True)
    assert tape.plays == [4, 1]
    assert_same(*runs)


def test_a_pack_whose_members_start_late_end_early_and_fail_has_the_bits_of_each_alone(
    small_objective: Objectives, small_stream: Streams, tape: Any
) -> None:
    class Break(Callback):
        def on_step(self, run: Run) -> None:
            if len(run.history) == 2:
                raise MemoryError("no more")

    states: list[Any] = []

    class Keep(Callback):
        def on_epoch(self, run: Run) -> None:
            states.append(copy.deepcopy(run.state()))

    def late(**options: Any) -> Run:
        return run_of(small_objective("sp", "random_matched"), 6, **options)

    cases: dict[str, Callable[[], Run]] = {
        "whole": lambda: run_of(small_objective("crd", "adaptive"), 6),
        "short": lambda: run_of(small_objective("at", "anti"), 4),
        "other precision": lambda: run_of(
            small_objective("kd", "random"), 6, precision=Precision(torch.bfloat16)
        ),
        "late": lambda: late(resume=copy.deepcopy(states[0])),
    }
    train([late(callbacks=[Keep()])], small_stream(1), graph=False)
    alone = {name: make() for name, make in cases.items()}
    for run in alone.values():
        train([run], small_stream(1), graph=False)
    together = {name: make() for name, make in cases.items()}
    broken = run_of(small_objective("ofd", "always"), callbacks=[Break()])
    train([broken, *together.values()], small_stream(1), graph=True)
    assert isinstance(broken.failure, MemoryError)
    assert sum(tape.plays) > 0
    for name, run in together.items():
        assert_same(run, alone[name])


class Classifier(nn.Module):
    """A linear classifier with dropout; ``peek`` is called with its logits."""

    def __init__(self, seed: int, peek: Callable[[Tensor], object] = lambda _logits: None) -> None:
        super().__init__()
        self.peek = peek
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.layers = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(192, 5))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.layers(images)
        self.peek(logits.detach())
        return logits


def test_every_member_of_a_pack_has_its_own_dropout(small_stream: Streams, tape: Any) -> None:
    alone, together = ([run_of(Supervised(Classifier(seed))) for seed in range(3)] for _ in "ab")
    for run in alone:
        train([run], small_stream(1), graph=False)
    train(together, small_stream(1), graph=True)
    assert tape.plays == [4, 1]
    for one, other in zip(together, alone, strict=True):
        assert_same(one, other)


def test_mixed_batches_are_repeated_with_their_own_labels(
    small_objective: Objectives, tape: Any
) -> None:
    images = torch.randint(256, (20, 3, 8, 8), dtype=torch.uint8)
    augment = Augment(mixup=0.5, cutmix=1.0, cutout=2)

    def stream() -> BatchStream:
        train = ImageSet(images, torch.arange(20) % 5)
        return BatchStream(train, [0.5] * 3, [0.2] * 3, batch_size=5, seed=2, augment=augment)

    plain, recorded = (run_of(small_objective("dkd", "adaptive"), 2) for _ in "ab")
    train([plain], stream(), graph=False)
    train([recorded], stream(), graph=True)
    assert tape.plays == [6]
    assert_same(recorded, plain)


PEEKS: dict[str, tuple[Callable[[Tensor], object], str]] = {
    "looks": (lambda logits: logits.max().item(), "_local_scalar_dense"),
    "draws": (lambda _logits: random.random(), "Python's random"),
}


@pytest.mark.parametrize("name", PEEKS)
def test_a_run_that_cannot_be_repeated_is_trained_step_by_step_and_named_once(
    name: str, small_stream: Streams, tape: Any, caplog: pytest.LogCaptureFixture
) -> None:
    peek, reason = PEEKS[name]
    alone, together = (
        [run_of(Supervised(Classifier(seed, p)), 4) for seed, p in enumerate((peek, id))]
        for _ in "ab"
    )
    for run in alone:
        train([run], small_stream(1), graph=False)
    together[0].name = "digits/0"
    train(together, small_stream(1), graph=True)
    (line,) = caplog.messages
    assert line.startswith("digits/0: not repeated")
    assert reason in line
    assert tape.plays == [5, 2]  # those of the other
    for one, other in zip(together, alone, strict=True):
        assert_same(one, other)


@pytest.mark.parametrize(("method", "operation"), [("at", "linalg_vector_norm"), ("crd", "topk")])
def test_a_recording_that_fails_leaves_everything_as_it_was(
    method: str,
    operation: str,
    small_objective: Objectives,
    small_stream: Streams,
    tape: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    plain, recorded = (
        [run_of(small_objective(m, "adaptive"), 5) for m in ("kd", method)] for _ in "ab"
    )
    for run in plain:
        train([run], small_stream(1), graph=False)
    tape.refused[f"aten::{operation}"] = torch.OutOfMemoryError("CUDA out of memory\nby far")
    recorded[1].name = "digits/1"
    train(recorded, small_stream(1), graph=True)
    assert caplog.messages == [
        "digits/1: not repeated as a graph, but step by step: OutOfMemoryError: CUDA out of memory",
    ]
    assert tape.plays == [5, 2]  # those of the other
    for one, other in zip(recorded, plain, strict=True):
        assert_same(one, other)


def test_a_teacher_that_looks_at_its_images_is_noticed(
    small_objective: Objectives, small_stream: Streams, tape: Any, caplog: Any
) -> None:
    def look(_module: nn.Module, _images: object, logits: Tensor) -> None:
        logits.sum().item()

    run = run_of(small_objective("kd", "always"))
    run.objective.teacher.head.register_forward_hook(look)
    train([run], small_stream(1), graph=True)
    assert run.failure is None
    assert tape.plays == []
    assert [message.count("_local_scalar_dense") for message in caplog.messages] == [1]


def test_an_error_in_a_step_ends_its_run_alone(
    small_objective: Objectives, small_stream: Streams, tape: Any
) -> None:
    run, other = (run_of(small_objective(m, "always")) for m in ("kd", "at"))
    run.objective.register_forward_hook(lambda *_: 1 / 0)
    train([run, other], small_stream(1), graph=True)
    assert isinstance(run.failure, ZeroDivisionError)
    assert other.failure is None
    assert len(other.history) == 3
    assert sum(tape.plays) > 0


def test_steps_that_differ_are_not_recorded(
    small_stream: Streams, tape: Any, caplog: pytest.LogCaptureFixture
) -> None:
    plain, run = (run_of(Supervised(Classifier(0)), 4) for _ in "ab")
    train([plain], small_stream(1), graph=False)
    run.objective.uniform = False
    train([run], small_stream(1), graph=True)
    assert tape.plays == []
    assert [message.count("its steps differ") for message in caplog.messages] == [1]
    assert_same(run, plain)


def test_steps_of_different_rates_are_not_recorded(
    small_stream: Streams, tape: Any, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = {"student": Optimisation(schedule="cosine")}
    plain, run = (Run(Supervised(Classifier(0)), epochs=3, optimisation=recipe) for _ in "ab")
    train([plain], small_stream(1), graph=False)
    train([run], small_stream(1), graph=True)
    assert tape.plays == []
    assert [message.count("its steps differ") for message in caplog.messages] == [1]
    assert_same(run, plain)


def test_a_run_that_should_not_be_recorded_is_not(
    small_objective: Objectives, small_stream: Streams, tape: Any
) -> None:
    train([run_of(small_objective("kd", "always"))], small_stream(1), graph=False)
    assert (tape.rehearsals, tape.plays) == (0, [])


@pytest.mark.parametrize("network", [nn.Linear(192, 5), nn.Dropout()], ids=["none", "dropout"])
def test_a_device_cannot_repeat_the_draws_of_the_host(
    network: nn.Module, small_stream: Streams, tape: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = partial(drawn_on_host, torch.device("cuda"))
    monkeypatch.setattr(captured, "drawn_on_host", lambda _device: elsewhere())
    run = run_of(Supervised(nn.Sequential(nn.Flatten(), nn.Linear(192, 192), network)))
    train([run], small_stream(1), graph=True)
    assert run.failure is None
    assert tape.plays == ([] if isinstance(network, nn.Dropout) else [4, 1])


def test_generators_that_are_kept_draw_what_fresh_ones_draw(
    small_batch: Callable[..., Batch],
) -> None:
    draws = Draws(torch.device("cpu"))
    for seed in (3, 4, 3):
        batch = small_batch(seed)
        draws.begin(seed)
        kept = batch._replace(source=draws)
        for purpose in ("policy", "contrast", "policy"):
            ours = torch.rand(4, generator=kept.draws(purpose))
            assert torch.equal(ours, torch.rand(4, generator=batch.draws(purpose)))
    assert len(draws.generators) == 4
    draws.begin(5)
    with pytest.raises(RuntimeError, match="'policy' and at times for 'contrast'"):
        draws("contrast")
