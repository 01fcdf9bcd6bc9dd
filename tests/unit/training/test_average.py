"""A running average of the weights: what it follows, and that steps may be recorded beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from sakd.data import BatchStream
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork
from sakd.objectives import Optimisation, Supervised
from sakd.training import Run, fit, train
from sakd.training.average import Average

RECIPE = {"student": Optimisation(lr=0.05)}
EPOCHS = 3

Networks = Callable[..., StagedNetwork]
Streams = Callable[..., BatchStream]


def averaged(network: StagedNetwork, stream: BatchStream, **how: Any) -> dict[str, Tensor]:
    """Train ``network``; give the average of its weights."""
    objective = Supervised(network)
    average = Average(objective, 0.9)
    fit(objective, stream, epochs=EPOCHS, optimisation=RECIPE, callbacks=[average], **how)
    return average.network.state_dict()


def test_it_is_the_mean_of_all_weights_until_its_decay(
    small_network: Networks, small_stream: Streams
) -> None:
    objective = Supervised(small_network(0))
    name, parameter = next(iter(objective.student.named_parameters()))
    average, seen = Average(objective, 0.99), [parameter.detach().clone()]

    class Look(Average):
        def on_step(self, run: Run) -> None:
            seen.append(parameter.detach().clone())

    callbacks = [average, Look(objective, 0.0)]
    fit(objective, small_stream(1), epochs=1, optimisation=RECIPE, callbacks=callbacks)
    found = average.network.state_dict()
    torch.testing.assert_close(found[name], torch.stack(seen).mean(dim=0))
    for buffer, value in objective.student.named_buffers():
        assert torch.equal(found[buffer], value), buffer


def test_it_follows_recorded_steps_too(
    small_network: Networks, small_stream: Streams, tape: Any
) -> None:
    plain = averaged(small_network(0), small_stream(1))
    assert not tape.plays
    recorded = averaged(small_network(0), small_stream(1), graph=True)
    assert any(tape.plays)
    for name, value in plain.items():
        torch.testing.assert_close(recorded[name], value)


def test_it_goes_on_from_any_step(
    small_network: Networks, small_stream: Streams, kept_states: Any
) -> None:
    states = []

    class Keep(Average):
        def on_step(self, run: Run) -> None:
            super().on_step(run)
            states.append({name: value.clone() for name, value in self.state().items()})

    objective = Supervised(small_network(0))
    whole = Keep(objective, 0.9)
    fit(
        objective,
        small_stream(1),
        epochs=EPOCHS,
        optimisation=RECIPE,
        callbacks=[whole, kept_states],
    )
    steps = len(small_stream(1))
    again = Supervised(small_network(5))
    average = Average(again, 0.9)
    average.restore(states[steps])
    resume = kept_states.at((1, 1))
    run = Run(again, epochs=EPOCHS, optimisation=RECIPE, callbacks=[average], resume=resume)
    train([run], small_stream(1))
    for name, value in whole.network.state_dict().items():
        assert torch.equal(average.network.state_dict()[name], value), name


def test_an_objective_that_has_such_a_network_is_refused(small_network: Networks) -> None:
    objective = Supervised(small_network(0))
    objective.further_networks = lambda: {"ema": objective.student}  # type: ignore[method-assign]
    with pytest.raises(UserError, match=r"'ema': set student\.ema to 0"):
        Average(objective, 0.9)
