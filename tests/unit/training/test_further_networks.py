"""Networks beside the one that is kept: measured after every epoch, copied after every update."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from sakd.data import Batch, BatchStream
from sakd.objectives import Objective, Optimisation, Player, StepResult
from sakd.training import fit


class Averaged(Objective):
    """A linear network and an average of it, which rests."""

    resting = ("copy",)

    def __init__(self, pixels: int) -> None:
        super().__init__()
        self.student = nn.Linear(pixels, 2)
        self.copy = nn.Sequential(nn.Dropout(), nn.Linear(pixels, 2)).requires_grad_(False)
        self.updates = 0

    @property
    def network(self) -> nn.Module:
        return self.student

    def further_networks(self) -> Mapping[str, nn.Module]:
        return {"copy": self.copy}

    def players(self) -> dict[str, Player]:
        return {"student": Player(list(self.student.parameters()), Optimisation(lr=0.01))}

    def updated(self) -> None:
        self.updates += 1
        self.copy[1].load_state_dict(self.student.state_dict())

    def forward(self, batch: Batch, teacher: Any = None) -> StepResult:
        assert not self.copy[0].training, "a part that rests is in evaluation mode"
        loss = self.student(batch.images.flatten(1)).square().mean()
        return StepResult({"student": loss}, {"loss": loss.detach()})


def norm(network: nn.Module) -> Mapping[str, float]:
    return {
        "val_norm": float(torch.cat([p.detach().flatten() for p in network.parameters()]).norm())
    }


def test_further_networks_are_measured_and_copies_follow(
    small_stream: Callable[..., BatchStream],
) -> None:
    batches = small_stream(seed=0)
    pixels = next(iter(batches.epoch(0))).images[0].numel()
    objective = Averaged(pixels)
    history = fit(objective, batches, epochs=2, evaluate=norm)
    assert objective.updates == 2 * len(batches)
    for record in history:
        assert record["val_norm_copy"] == record["val_norm"]
    assert any(name.startswith("copy.") for name in objective.progress())
