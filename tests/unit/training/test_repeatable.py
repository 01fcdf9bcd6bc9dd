"""Deterministic operations alone give the same bits again on a GPU."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from sakd.distillers import DISTILLERS
from sakd.foundation.determinism import FIXED, WORKSPACE, compute_deterministically
from sakd.objectives import SpotDistillation
from sakd.training import Run, pretrain, train
from unit.repeated import ON_A_GPU, few_images

pytestmark = [pytest.mark.usefixtures("usual_operations"), *ON_A_GPU]

if torch.cuda.is_available():  # other tests of this process use the GPU before these
    os.environ.setdefault(WORKSPACE, FIXED[0])

Objectives = Callable[..., SpotDistillation]


@pytest.fixture
def trained(
    small_objective: Objectives, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, bool], Run]:
    """Train for two epochs of 8, 8 and 4 images."""
    monkeypatch.setenv(WORKSPACE, FIXED[0])
    compute_deterministically()

    def run(method: str, graph: bool) -> Run:
        stream = few_images()
        objective = small_objective(method, "adaptive").cuda()
        pretrain(objective, stream)
        made = Run(objective, epochs=max(2, len(objective.phases())))
        train([made], stream, graph=graph)
        return made

    return run


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("method", DISTILLERS)
def test_the_same_seed_gives_the_same_bits(
    method: str, graph: bool, trained: Callable[[str, bool], Run]
) -> None:
    one, other = trained(method, graph), trained(method, graph)
    assert (one.failure, other.failure) == (None, None)
    assert one.history == other.history
    states: list[dict[str, Tensor]] = [run.objective.state_dict() for run in (one, other)]
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())
