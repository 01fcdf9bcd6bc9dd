"""Steps of systems from CUDA graphs, on a GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from sakd.data import BatchStream, ImageSet
from sakd.objectives import Optimisation
from sakd.systems import SYSTEMS, System
from sakd.training import Run, pretrain, train
from unit.repeated import ON_A_GPU, assert_close

pytestmark = ON_A_GPU


def trained(system: System[Any], *, graph: bool) -> Run:
    """Train ``system`` for three epochs of 8, 8 and 4 images, by small steps."""
    images = torch.randint(256, (20, 3, 8, 8), dtype=torch.uint8, generator=torch.manual_seed(5))
    labels = torch.arange(20) % 5
    stream = BatchStream(
        ImageSet(images, labels), [0.5] * 3, [0.25] * 3, batch_size=8, seed=1, device="cuda"
    )
    system.cuda()
    pretrain(system, stream)
    players, recipe = system.players().items(), Optimisation(lr=0.001, milestones=())
    steady = {name: recipe for name, player in players if type(player.optimisation) is Optimisation}
    run = Run(system, epochs=3, optimisation=steady)
    train([run], stream, graph=graph)
    return run


@pytest.mark.parametrize("name", SYSTEMS)
def test_steps_of_a_system_from_a_graph_are_those_without(
    name: str, small_system: Callable[..., System[Any]]
) -> None:
    plain, repeated = (trained(small_system(name), graph=graph) for graph in (False, True))
    # Some biases of a generator have no gradient but rounding, of which Adam makes large steps.
    assert_close(repeated, plain, "student" if "generator" in plain.players else "")
