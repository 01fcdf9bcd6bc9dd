"""An interruption waits for the end of the step, and trainings go on from there to the bit."""

from __future__ import annotations

import copy
import os
import signal
from collections.abc import Callable, Iterator

import pytest
from torch import nn

from sakd.data import Batch, BatchStream
from sakd.objectives import SpotDistillation
from sakd.training import Callback, Run, train

Objectives = Callable[..., SpotDistillation]
Streams = Callable[..., BatchStream]

EPOCHS = 2
METHODS = (("at", "adaptive"), ("crd", "anti"))
MOMENTS = {
    "a step": [(1, 2), (1, 2)],
    "the last step": [(0, 3), (0, 3)],
    "measuring": [(1, 0), (0, 3)],
    "the start of an epoch": [(1, 0), (1, 0)],
}
"""Where two runs are found after an interruption in the first of them: epochs and steps."""


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C interrupt, which the shell of a run in the background has had ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class User(Callback):
    """Presses Ctrl-C at a moment."""

    def __init__(self, moment: str) -> None:
        self.moment = moment
        self.measured = 0

    def press(self, moment: str, *, now: bool) -> None:
        if now and moment == self.moment:
            os.kill(os.getpid(), signal.SIGINT)

    def on_step(self, run: Run) -> None:
        self.press("a step", now=(len(run.history), run.taken) == (1, 2))
        self.press("the last step", now=run.taken == run.steps)

    def measure(self, _network: nn.Module) -> dict[str, float]:
        self.measured += 1
        self.press("measuring", now=self.measured == len(METHODS))
        return {"val_top1": 0.5}

    def watch(self, stream: BatchStream) -> BatchStream:
        """Press when the second epoch of ``stream`` begins."""
        plain = stream.epoch

        def epoch(number: int, start: int = 0) -> Iterator[Batch]:
            self.press("the start of an epoch", now=number == 1)
            return plain(number, start)

        stream.epoch = epoch
        return stream


class Stopped(Callback):
    """Keeps the state of a run when an interruption comes."""

    def on_stop(self, run: Run) -> None:
        self.place = len(run.history), run.taken
        self.state = copy.deepcopy(run.state())


@pytest.mark.parametrize("moment", MOMENTS)
def test_runs_that_are_interrupted_go_on_from_a_whole_step_to_the_bit(
    moment: str, small_objective: Objectives, small_stream: Streams
) -> None:
    def runs(user: User) -> list[Run]:
        made = (small_objective(*method) for method in METHODS)
        first, *others = [
            Run(one, epochs=EPOCHS, evaluate=user.measure, callbacks=(user, Stopped()))
            for one in made
        ]
        for other in others:
            other.callbacks = other.callbacks[1:]
        return [first, *others]

    whole = runs(User("never"))
    train(whole, small_stream(1))
    user = User(moment)
    cut, stream = runs(user), user.watch(small_stream(1))
    with pytest.raises(KeyboardInterrupt):
        train(cut, stream)
    stops = [run.callbacks[-1] for run in cut]
    assert [stop.place for stop in stops if isinstance(stop, Stopped)] == MOMENTS[moment]
    resumed = runs(User("never"))
    for run, stop in zip(resumed, stops, strict=True):
        assert isinstance(stop, Stopped)
        run.restore(stop.state)
    train(resumed, small_stream(1))
    for run, other in zip(resumed, whole, strict=True):
        assert run.failure is None
        assert run.history == other.history
        ours = run.objective.state_dict()
        assert all((value == ours[n]).all() for n, value in other.objective.state_dict().items())
