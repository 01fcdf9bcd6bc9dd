"""Pretraining comes before the student's training, once, and is not repeated on a resume."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from sakd.data import BatchStream, DataCard, ImageSet, Prepared
from sakd.distillers import DISTILLERS
from sakd.foundation.errors import UserError
from sakd.foundation.vocabulary import DONE
from sakd.networks import StagedNetwork
from sakd.objectives import DataFacts, Optimisation, SpotDistillation, distil
from sakd.objectives.parameters import Distillation
from sakd.study.bench import Bench
from sakd.study.recipe import Recipe
from sakd.study.store import CellStore
from sakd.study.train import run_training
from sakd.study.trainings import Training
from sakd.training import Callback, Run, fit, pretrain
from sakd.training.progress import Progress
from sakd.weights.saved import load_weights

Networks = Callable[..., StagedNetwork]
Streams = Callable[..., BatchStream]
LABELS = torch.arange(20) % 5
NEEDS = [name for name, kind in DISTILLERS.items() if "pretraining" in vars(kind)]


@pytest.fixture(params=NEEDS)
def objective(
    request: pytest.FixtureRequest, small_network: Networks
) -> Callable[[], SpotDistillation]:
    """Build an objective with two epochs of pretraining."""

    def build(_teacher: object = None) -> SpotDistillation:
        brief = Distillation(options={request.param: {"pretrain_epochs": 2}})
        data = DataFacts((3, 8, 8), LABELS)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return distil(
                small_network(0),
                small_network(1),
                request.param,
                "always",
                data,
                distillation=brief,
            )

    return build


def pretrained(objective: SpotDistillation) -> dict[str, Tensor]:
    (plan,) = (d.pretraining() for n, d in objective.distillers.items() if n in NEEDS)
    return {name: value.clone() for name, value in plan.module.state_dict().items()}


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


def test_a_part_learns_beforehand_and_is_frozen_afterwards(
    objective: Callable[[], SpotDistillation], small_stream: Streams
) -> None:
    made, stream = objective(), small_stream(0)
    histories: list[list[dict[str, float]]] = []

    class Watch(Callback):
        def on_start(self, run: Run) -> None:
            histories.append(run.history)

    before = pretrained(made)
    assert pretrain(made, stream, lambda _name: (Watch(),))
    after = pretrained(made)
    assert not equal(before, after)
    (history,) = histories
    assert [record["epoch"] for record in history] == [1, 2]
    assert history[1]["pretraining"] < history[0]["pretraining"]
    fit(made, stream, epochs=1)
    assert equal(after, pretrained(made))


@pytest.mark.parametrize("name", NEEDS)
def test_a_training_without_its_pretraining_is_refused(
    name: str, small_objective: Callable[..., SpotDistillation], small_stream: Streams
) -> None:
    made, stream = small_objective(name, "always"), small_stream(0)
    with pytest.raises(UserError, match=rf"^{name}: .*sakd\.training\.pretrain\("):
        fit(made, stream, epochs=1)
    assert pretrain(made, stream)
    assert not pretrain(made, stream)
    fit(made, stream, epochs=1)


@pytest.mark.parametrize("name", NEEDS)
def test_an_interrupted_pretraining_is_still_to_be_done(
    name: str, small_objective: Callable[..., SpotDistillation], small_stream: Streams
) -> None:
    made, stream = small_objective(name, "always"), small_stream(0)

    class Stop(Callback):
        def on_step(self, run: Run) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(made, stream, lambda _name: (Stop(),))
    assert list(made.pretrainings()) == [name]


def test_a_method_that_needs_no_pretraining_has_none(
    small_objective: Callable[..., SpotDistillation], small_stream: Streams
) -> None:
    assert NEEDS == ["ft", "tofd"]
    assert not pretrain(small_objective("at-crd", "always"), small_stream(0))


class Killed(BaseException):
    """A process ends in a step, and nothing is done any more."""


class Interrupting(Progress):
    """A user who presses Ctrl-C at a step, or kills the run; counts the steps of pretrainings."""

    def __init__(
        self,
        place: tuple[int, int] | None = None,
        *,
        beforehand: bool = False,
        how: type[BaseException] = KeyboardInterrupt,
    ) -> None:
        """Press at a ``place``, epochs and steps, of the training or of what comes before it."""
        super().__init__("test", 1)
        self.place = place
        self.beforehand = beforehand
        self.how = how
        self.steps = 0

    def of(self, name: str, number: int = 0) -> tuple[Callback, ...]:
        """Give a callback that presses."""
        callback, before = Callback(), "beforehand" in name

        def press(run: Run) -> None:
            self.steps += before
            if before is self.beforehand and (len(run.history), run.taken) == self.place:
                raise self.how

        callback.on_step = press
        return (callback,)


def training_of(build: Callable[[], SpotDistillation], images: ImageSet) -> Training:
    """Make a training of three epochs with a checkpoint after each."""
    return Training(
        group="row",
        id="cell",
        facts={"what": "test"},
        network="resnet8",
        build=build,
        images=images,
        recipe=Recipe(epochs=3, batch_size=8, keep_epochs=0, checkpoint_seconds=0.0),
        optimisation={"student": Optimisation()},
        seed=0,
    )


@pytest.mark.parametrize(
    ("progress", "repeated"),
    [
        (partial(Interrupting, (0, 1)), 0),
        (partial(Interrupting, (1, 1)), 0),
        (partial(Interrupting, (0, 1), how=Killed), 0),
        (partial(Interrupting, (0, 2), beforehand=True), 0),
        (partial(Interrupting, (1, 2), beforehand=True), 0),
        (partial(Interrupting, (1, 2), beforehand=True, how=Killed), 2),
    ],
)
def test_a_resumed_training_keeps_what_was_pretrained_and_a_pretraining_goes_on(
    progress: Callable[[], Interrupting],
    repeated: int,
    objective: Callable[[], SpotDistillation],
    tmp_path: Path,
) -> None:
    pixels = torch.randint(256, (20, 3, 8, 8), generator=torch.Generator().manual_seed(7))
    images = ImageSet(pixels.to(torch.uint8), LABELS)
    card = DataCard(
        name="test",
        classes=tuple("abcde"),
        channels=3,
        height=8,
        width=8,
        mean=(0.5,) * 3,
        std=(0.25,) * 3,
        counts={},
        source="drawn",
        key="1",
        sha256="0",
    )

    def run(folder: str, progress: Progress) -> Any:
        store = CellStore(tmp_path / folder)
        bench = Bench(Prepared(images, card), store, torch.device("cpu"))
        return run_training(training_of(objective, images), bench, progress)

    cut, resumed, whole = progress(), Interrupting(), Interrupting()
    with pytest.raises(cut.how):
        run("interrupted", cut)
    assert run("interrupted", resumed).status == DONE
    assert run("whole", whole).status == DONE
    assert cut.steps + resumed.steps == whole.steps + repeated
    weights = [
        load_weights(next((tmp_path / folder).rglob("last.safetensors"))).state
        for folder in ("interrupted", "whole")
    ]
    assert equal(*weights)
