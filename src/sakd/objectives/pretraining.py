"""What a distiller learns of its teacher before the student is trained."""

from __future__ import annotations

import torch
from torch import nn

from sakd.data import Batch
from sakd.distillers import Distiller, Pretraining, Side
from sakd.networks import StagedNetwork
from sakd.objectives.base import Objective, StepResult
from sakd.objectives.outputs import Outputs


class PretrainingObjective(Objective):
    """A distiller's `Pretraining`, on the features of a frozen teacher; one player."""

    frozen = ("teacher",)

    def __init__(
        self, teacher: StagedNetwork, distiller: Distiller, pretraining: Pretraining
    ) -> None:
        """Train ``pretraining.module`` on what ``distiller`` sees of the teacher."""
        super().__init__()
        self.teacher = teacher
        self.module = pretraining.module
        self.pretraining = pretraining
        # In a tuple: as a submodule it would be set to training, and saved.
        self._for = (distiller,)

    @property
    def network(self) -> nn.Module:
        """The module that is trained."""
        return self.module

    def players(self) -> dict[str, list[nn.Parameter]]:
        """The module's parameters."""
        return {"pretraining": list(self.module.parameters())}

    def forward(self, batch: Batch) -> StepResult:
        """The pretraining's loss."""
        (distiller,) = self._for
        with torch.no_grad():
            outputs = Outputs.of(self.teacher, batch.images, Side.TEACHER, self._for)
        shown = outputs.shown_to(distiller)
        loss = self.pretraining.loss([shown[spot.teacher] for spot in distiller.pair.spots])
        return StepResult({"pretraining": loss}, {"pretraining": loss.detach()})
