"""What a distiller learns of its teacher before the student is trained."""

from __future__ import annotations

import torch
from torch import nn

from sakd.data import Batch
from sakd.distillers import Pretraining
from sakd.networks import StagedNetwork
from sakd.networks.spots import Spot
from sakd.objectives.base import Objective, StepResult


class Preparation(Objective):
    """A distiller's `Pretraining`, on the features of a frozen teacher; one player."""

    frozen = ("teacher",)

    def __init__(
        self, teacher: StagedNetwork, spots: tuple[Spot, ...], pretraining: Pretraining
    ) -> None:
        """Train ``pretraining.module`` on the teacher's features at ``spots``."""
        super().__init__()
        self.teacher = teacher
        self.module = pretraining.module
        self.spots = spots
        self.pretraining = pretraining

    @property
    def network(self) -> nn.Module:
        """The module that is trained."""
        return self.module

    def players(self) -> dict[str, list[nn.Parameter]]:
        """The module's parameters."""
        return {"preparation": list(self.module.parameters())}

    def forward(self, batch: Batch) -> StepResult:
        """The pretraining's loss."""
        with torch.no_grad():
            features, logits = self.teacher.trace(batch.images)
        loss = self.pretraining.loss([(*features, logits)[spot.teacher] for spot in self.spots])
        return StepResult({"preparation": loss}, {"preparation": loss.detach()})
