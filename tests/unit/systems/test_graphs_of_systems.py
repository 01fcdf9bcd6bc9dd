"""Steps of systems from CUDA graphs, on a GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sakd.systems import SYSTEMS, System
from sakd.training import Run, train
from unit.repeated import ON_A_GPU, assert_close, few_images, run_of

pytestmark = ON_A_GPU


def trained(system: System[Any], *, graph: bool) -> Run:
    """Train ``system`` for three epochs."""
    stream = few_images()
    run = run_of(system, stream, epochs=3)
    train([run], stream, graph=graph)
    return run


@pytest.mark.parametrize("name", SYSTEMS)
def test_steps_of_a_system_from_a_graph_are_those_without(
    name: str, small_system: Callable[..., System[Any]]
) -> None:
    plain, repeated = (trained(small_system(name), graph=graph) for graph in (False, True))
    # Some biases of a generator have no gradient but rounding, of which Adam makes large steps.
    assert_close(repeated, plain, "student" if "generator" in plain.players else "")
