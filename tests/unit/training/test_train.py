"""Runs side by side: one stream, one forward pass of the teacher, the bits of each alone."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from sakd.data import BatchStream
from sakd.distillers import DISTILLERS
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork
from sakd.objectives import Buildable, DataFacts, Objective, Optimisation, distil
from sakd.objectives.parameters import Distillation, Options
from sakd.routing import POLICIES
from sakd.training import EXACT, Callback, Precision, Run, fit, pretrain, train

Streams = Callable[..., BatchStream]
Networks = Callable[..., StagedNetwork]
Make = Callable[..., Buildable]

WIDTHS = (4, 4, 6, 8)  # of student and teacher, as some distillers want equal ones
LABELS = torch.arange(20) % 5
EPOCHS = 2


@pytest.fixture
def make(small_network: Networks, brief: Options) -> Make:
    """Distil one teacher, the same object unless ``lone``, into a new student each time."""
    teacher = small_network(99, WIDTHS)

    def build(
        method: str = "kd", policy: str = "always", *, seed: int = 0, lone: bool = False
    ) -> Buildable:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            options, facts = Distillation(options=brief), DataFacts((3, 8, 8), LABELS)
            pair = small_network(seed), copy.deepcopy(teacher) if lone else teacher
            return distil(*pair, method, policy, facts, distillation=options)

    return build


def state_of(run: Run) -> dict[str, Tensor]:
    return dict(run.objective.state_dict())


def assert_same(run: Run, alone: Run) -> None:
    assert run.failure is None
    assert run.history == alone.history
    for name, value in state_of(alone).items():
        assert torch.equal(state_of(run)[name], value), name


def run_of(objective: Objective, stream: BatchStream, **options: Any) -> Run:
    pretrain(objective, stream)
    return Run(objective, **{"epochs": max(EPOCHS, len(objective.phases())), **options})


def alone(objective: Objective, stream: BatchStream, **options: Any) -> Run:
    run = run_of(objective, stream, **options)
    train([run], stream)
    return run


class Break(Callback):
    """Fail in the middle of the second epoch."""

    def on_step(self, run: Run) -> None:
        """Fail."""
        if len(run.history) == 1:
            raise MemoryError("no more")


@pytest.mark.parametrize(
    ("method", "policy"),
    sorted(
        {
            *((d, "adaptive") for d in DISTILLERS),
            *(("at" if k.weighs else "crd", p) for p, k in POLICIES.items()),
        }
    ),
)
def test_a_run_has_the_bits_it_has_alone_whatever_its_neighbours_do(
    method: str, policy: str, make: Make, small_stream: Streams
) -> None:
    expected = alone(make(method, policy), small_stream(1))
    stream = small_stream(1)
    runs = [
        run_of(make("ofd", "random", seed=3), stream, callbacks=[Break()]),
        run_of(make(method, policy), stream),
        run_of(make("at", "anti", seed=4), stream, epochs=1),
        run_of(make("crd", "adaptive", seed=5), stream, optimisation={"student": Optimisation(9)}),
    ]
    train(runs, stream)
    assert_same(runs[1], expected)
    assert isinstance(runs[0].failure, MemoryError)
    assert len(runs[0].history) == 1
    assert [len(run.history) for run in runs[1:3]] == [expected.epochs, 1]


def test_a_run_that_diverges_ends_alone(make: Make, small_stream: Streams) -> None:
    expected = alone(make("sp"), small_stream(1))
    wild = Run(make("kd"), epochs=EPOCHS, optimisation={"student": Optimisation(1e30)})
    calm = Run(make("sp"), epochs=EPOCHS)
    train([wild, calm], small_stream(1))
    assert "lower the learning rate" in str(wild.failure)
    assert_same(calm, expected)


def test_a_resumed_run_joins_at_its_epoch(make: Make, small_stream: Streams) -> None:
    states: list[Any] = []

    class Keep(Callback):
        def on_epoch(self, run: Run) -> None:
            states.append(copy.deepcopy(run.state()))

    first = Run(make("at", "adaptive"), epochs=1, callbacks=[Keep()])
    train([first], small_stream(1))
    expected = alone(make("kd"), small_stream(1), epochs=3)
    resumed = Run(make("at", "adaptive", seed=7), epochs=3, resume=states[0])
    other = Run(make("kd"), epochs=3)
    train([resumed, other], small_stream(1))
    assert [record["epoch"] for record in resumed.history] == [1, 2, 3]
    assert_same(other, expected)


def test_a_frozen_teacher_runs_once_a_batch(make: Make, small_stream: Streams) -> None:
    runs = [Run(make(method), epochs=1) for method in ("kd", "ofd", "at-sp")]
    teacher, calls = runs[0].objective.teacher, []
    handle = teacher.head.register_forward_hook(lambda *_: calls.append(1))
    train(runs, small_stream(1))
    handle.remove()
    assert len(calls) == len(small_stream(1))


def test_outputs_can_be_handed_in_by_hand(make: Make, small_stream: Streams) -> None:
    (batch, *_), objective = small_stream(1).epoch(0), make("at", "adaptive").train()
    request = objective.request()
    assert request is not None
    given = objective(batch, request.outputs(batch.images))
    own = make("at", "adaptive").train()(batch)
    assert all(torch.equal(given.losses[name], own.losses[name]) for name in own.losses)


def test_fit_is_one_run(make: Make, small_stream: Streams) -> None:
    expected = alone(make("rkd", "adaptive"), small_stream(1))
    assert fit(make("rkd", "adaptive"), small_stream(1), epochs=EPOCHS) == expected.history


def test_the_failure_of_a_fit_is_raised(make: Make, small_stream: Streams) -> None:
    with pytest.raises(MemoryError, match="no more"):
        fit(make(), small_stream(1), epochs=EPOCHS, callbacks=[Break()])


def test_an_interruption_is_raised_and_fails_no_run(make: Make, small_stream: Streams) -> None:
    class Press(Callback):
        def on_step(self, run: Run) -> None:
            raise KeyboardInterrupt

    runs = [Run(make("kd"), epochs=1, callbacks=[Press()]), Run(make("sp"), epochs=1)]
    with pytest.raises(KeyboardInterrupt):
        train(runs, small_stream(1))
    assert all(run.failure is None for run in runs)


@pytest.mark.parametrize("method", DISTILLERS)
def test_half_precision_has_finite_losses_and_gradients_in_full_precision(
    method: str, make: Make, small_stream: Streams
) -> None:
    stream, half = small_stream(1), Precision(torch.bfloat16, channels_last=True)
    runs = [
        run_of(make(method, "adaptive", lone=True), stream, precision=precision)
        for precision in (half, EXACT)
    ]
    losses = []

    def watch(_module: Any, _inputs: Any, result: Any) -> None:
        losses.append(result.losses["student"].dtype)

    runs[0].objective.register_forward_hook(watch)
    train(runs, stream)
    assert set(losses) == {torch.float32}
    assert [run.failure for run in runs] == [None, None]
    assert runs[0].history != runs[1].history
    assert all(p.isfinite().all() for p in runs[0].objective.parameters())


@pytest.mark.parametrize("precision", [Precision(torch.bfloat16), Precision(channels_last=True)])
def test_runs_of_one_precision_side_by_side_have_the_bits_of_each_alone(
    precision: Precision, make: Make, small_stream: Streams
) -> None:
    expected = alone(make("at", "adaptive"), small_stream(1), precision=precision)
    runs = [
        Run(make(method, policy), epochs=EPOCHS, precision=precision)
        for method, policy in (("sp", "random"), ("at", "adaptive"))
    ]
    train(runs, small_stream(1))
    assert_same(runs[1], expected)


def test_the_layout_of_maps_changes_no_more_than_rounding(
    make: Make, small_stream: Streams
) -> None:
    stream = small_stream(1)
    runs = [
        Run(make("at", "adaptive").double(), epochs=1, precision=Precision(channels_last=last))
        for last in (False, True)
    ]
    (batch, *_) = stream.epoch(0)
    batch = batch._replace(images=batch.images.double())
    for run in runs:
        run.start(1)
        run.objective.train()
        run.step(run.precision.seen(batch))
    for one, other in zip(*(run.objective.parameters() for run in runs), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-10)
    weight = runs[1].objective.student.stem[0].weight
    assert weight.is_contiguous(memory_format=torch.channels_last)


def test_a_teacher_is_laid_out_in_one_way(make: Make, small_stream: Streams) -> None:
    runs = [Run(make(), epochs=1, precision=p) for p in (EXACT, Precision(channels_last=True))]
    complaint = "runs share a teacher and differ in channels_last or compile: give each its own"
    with pytest.raises(UserError, match=complaint):
        train(runs, small_stream(1))
    halves = [Run(make(), epochs=1, precision=p) for p in (EXACT, Precision(torch.bfloat16))]
    train(halves, small_stream(1))
    assert [run.failure for run in halves] == [None, None]


def test_a_precision_leaves_torchs_own_settings_as_they_were() -> None:
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    with Precision(torch.bfloat16, tf32=True).applied(torch.device("cpu")):
        assert torch.is_autocast_enabled("cpu")
    assert not torch.is_autocast_enabled("cpu")
    assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == before


@pytest.mark.parametrize(("rounded", "products"), [(True, "high"), (False, "highest")])
def test_a_gpu_rounds_products_only_within_a_precision_that_does(
    rounded: bool, products: str
) -> None:
    def settings() -> tuple[str, bool]:
        return torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32

    before, within = settings(), Precision(tf32=rounded).products
    with within(torch.device("cuda")):
        assert settings() == (products, rounded)
    assert settings() == before
    with within(torch.device("cpu")):
        assert settings() == before


@pytest.fixture
def compiled_runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Compile without a compiler; grow by an entry whenever something compiled runs."""
    ran: list[int] = []

    def backend(graph: torch.fx.GraphModule, _inputs: object) -> Callable[..., object]:
        def counted(*given: object) -> object:
            ran.append(1)
            return graph(*given)

        return counted

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=backend))
    return ran


@pytest.mark.filterwarnings("ignore:The .grad attribute")  # torch looks at its own
@pytest.mark.parametrize("method", [("at", "adaptive"), ("ofd", "always"), ("l2tww", "always")])
def test_compiled_stages_learn_the_same(
    method: tuple[str, str], make: Make, small_stream: Streams, compiled_runs: list[int]
) -> None:
    states = []
    for compiled in (False, True):
        run = Run(make(*method), epochs=1, precision=Precision(compiled=compiled))
        train([run], small_stream(1))
        assert run.failure is None
        states.append(run.state())
        assert bool(compiled_runs) is compiled
    assert states[0]["history"][0] == pytest.approx(states[1]["history"][0], rel=1e-4)
    assert states[0]["objective"].keys() == states[1]["objective"].keys()


@pytest.mark.filterwarnings("ignore:The .grad attribute")  # torch looks at its own
def test_stages_are_compiled_after_a_step_that_is_watched(
    make: Make, small_stream: Streams, compiled_runs: list[int], tape: Any
) -> None:
    recipe = dict.fromkeys(("student", "router"), Optimisation(milestones=()))
    run = Run(
        make("kd", "adaptive"), epochs=2, optimisation=recipe, precision=Precision(compiled=True)
    )
    train([run], small_stream(1), graph=True)
    assert run.failure is None
    assert tape.rehearsals == 4  # two of each size of batch
    assert compiled_runs
