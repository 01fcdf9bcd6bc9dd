"""What tests of recorded steps on a GPU share."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from sakd.data import BatchStream, ImageSet
from sakd.objectives import Optimisation
from sakd.training import Run, pretrain

ON_A_GPU = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"),
]


def few_images() -> BatchStream:
    """Stream the same 20 images, in batches of 8, 8 and 4, on a GPU."""
    source = torch.Generator().manual_seed(5)
    images = torch.randint(256, (20, 3, 8, 8), dtype=torch.uint8, generator=source)
    train = ImageSet(images, torch.arange(20) % 5)
    return BatchStream(train, [0.5] * 3, [0.25] * 3, batch_size=8, seed=1, device="cuda")


def run_of(objective: Any, stream: BatchStream, **options: Any) -> Run:
    """Make a training of four epochs on a GPU; what comes first is done."""
    objective.cuda()
    pretrain(objective, stream)
    # Small steps: with large ones some losses make much of rounding.
    players, recipe = objective.players().items(), Optimisation(lr=0.001, milestones=())
    steady = {name: recipe for name, player in players if type(player.optimisation) is Optimisation}
    return Run(objective, **{"epochs": 4, "optimisation": steady, **options})


def assert_close(one: Run, other: Run, part: str = "") -> None:
    """Check that two trainings ended alike, but for rounding, in a ``part`` or whole."""
    assert (one.failure, other.failure) == (None, None)
    for ours, theirs in zip(one.history, other.history, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-3, abs=1e-4)
    theirs = other.objective.get_submodule(part).state_dict()
    for name, value in one.objective.get_submodule(part).state_dict().items():
        torch.testing.assert_close(value, theirs[name], rtol=1e-3, atol=1e-4, msg=name)
