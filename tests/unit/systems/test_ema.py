"""The average: a copy at decay 0, and no part of what the student learns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from sakd.data import BatchStream
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork
from sakd.objectives import Optimisation, Supervised
from sakd.systems import SYSTEMS
from sakd.training import fit

RECIPE = {"student": Optimisation(lr=0.05)}

Streams = Callable[..., BatchStream]


def test_at_decay_0_the_average_is_the_student(
    small_system: Callable[..., Any], small_stream: Streams
) -> None:
    system = small_system("ema", decay=0.0)
    fit(system, small_stream(1), epochs=1, optimisation=RECIPE)
    average = system.further_networks()["ema"].state_dict()
    for name, value in system.student.state_dict().items():
        assert torch.equal(average[name], value), name


def test_the_student_is_one_that_learns_from_labels_alone(
    small_system: Callable[..., Any],
    small_network: Callable[..., StagedNetwork],
    small_stream: Streams,
) -> None:
    system, alone = small_system("ema"), Supervised(small_network(0))
    for objective in (system, alone):
        fit(objective, small_stream(1), epochs=2, optimisation=RECIPE)
    average = system.further_networks()["ema"].state_dict()
    for name, value in alone.student.state_dict().items():
        assert torch.equal(system.student.state_dict()[name], value), name
    assert any(not torch.equal(average[n], v) for n, v in alone.student.state_dict().items())


def test_a_decay_is_below_one() -> None:
    with pytest.raises(UserError, match=r"decay .* below 1, got 1\.0"):
        SYSTEMS["ema"].settings(decay=1.0)
