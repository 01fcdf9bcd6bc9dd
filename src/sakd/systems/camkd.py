"""Teachers weighted by how right they are: CA-MKD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import softmax

from sakd.data import Batch, BatchStream
from sakd.distillers.parts.maps import sample_means, squared
from sakd.foundation.errors import require_not_negative
from sakd.networks.adapters import adapter
from sakd.objectives import Outputs
from sakd.systems.base import Situation
from sakd.systems.parts.weighted import Weighted, WeightedSettings


@dataclass(frozen=True, kw_only=True)
class CAMKDSettings(WeightedSettings):
    """The settings of `CAMKD`.

    Attributes:
        feature_weight: The weight of the features, from the second epoch on.
    """

    feature_weight: float = 50.0

    def __post_init__(self) -> None:
        """Refuse a negative weight."""
        super().__post_init__()
        require_not_negative(feature_weight=self.feature_weight)


class CAMKD(Weighted[CAMKDSettings]):
    """Teachers count the less, the higher their own loss on the label of the sample.

    Zhang et al., ICASSP 2022, arXiv:2201.00007. w_m = (1 - softmax_m(CE_m)) / (M (M - 1)); the
    shares of a sample sum to 1 / M, as in the authors' code. The features add
    (1 / B) sum_b sum_m v_m mean (r_m(F_s) - F_m)^2 of the last features before the embedding, from
    the second epoch on; v is as w, of the losses of r_m(F_s) in the head of teacher m, and has no
    gradient. Equation of the logits: see `Weighted`.
    Differs from the code: r_m is the regressor of FitNet, see `sakd.networks.adapters`.
    """

    settings = CAMKDSettings
    later: Tensor

    def __init__(self, situation: Situation, settings: CAMKDSettings) -> None:
        """Make a regressor for each teacher."""
        super().__init__(situation, settings)
        self.weights["features"] = settings.feature_weight
        places = ((shapes.student[-2], shapes.teacher[-2]) for shapes in self.shapes)
        self.regressors = nn.ModuleList(adapter(*place) for place in places)
        self.register_buffer("later", torch.zeros(()))

    def begin_epoch(self, epoch: int, epochs: int, stream: BatchStream) -> None:
        """Let features count, except in the first epoch."""
        self.later.fill_(float(epoch > 0))

    def shares(self, student: Tensor, teachers: Tensor, batch: Batch) -> Tensor:
        """Compare losses on the labels, see `Weighted.shares`."""
        each = [self.task.losses(logits, batch) for logits in teachers.unbind(dim=1)]
        return confidence(torch.stack(each, dim=1))

    def knowledge(
        self, batch: Batch, student: Outputs, taught: Sequence[Outputs]
    ) -> Mapping[str, Tensor]:
        """Compute the weighted divergence and the weighted error of features."""
        changed = [regressor(student.features[-2]) for regressor in self.regressors]
        shares = confidence(torch.stack(self._judged(changed, batch), dim=1))
        errors = feature_errors(changed, [outputs.features[-2] for outputs in taught])
        features = self.later * (shares * errors).sum(dim=1).mean()
        return {**super().knowledge(batch, student, taught), "features": features}

    @torch.no_grad()
    def _judged(self, features: Sequence[Tensor], batch: Batch) -> list[Tensor]:
        """Compute the label losses (B,) of features in the last two stages of the teachers."""
        pairs = zip(self._teachers(), features, strict=True)
        found = (teacher.run(feature, teacher.depth - 1) for teacher, feature in pairs)
        return [self.task.losses(logits, batch) for logits in found]


def confidence(losses: Tensor) -> Tensor:
    """Compute (1 - softmax_m) / (M (M - 1)) of the ``losses`` (B, M) of the teachers."""
    count = losses.shape[1]
    return (1 - softmax(losses, dim=1)) / (count * (count - 1))


def feature_errors(students: Sequence[Tensor], teachers: Sequence[Tensor]) -> Tensor:
    """Compute the mean squared errors (B, M) of features (B, ...), one pair for each teacher."""
    pairs = zip(students, teachers, strict=True)
    return torch.stack([sample_means(squared(s - t)) for s, t in pairs], dim=1)
