"""How far softened class probabilities are from those that they are to follow."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import log_softmax

from sakd.distillers.parts.logits import divergence as of_each
from sakd.foundation.errors import require_not_negative, require_positive
from sakd.objectives import Settings


@dataclass(frozen=True, kw_only=True)
class DivergenceSettings(Settings):
    """The settings of a system that weighs a divergence from teachers.

    Attributes:
        kd_weight: The weight of the divergence.
        temperature: T.
    """

    kd_weight: float = 1.0
    temperature: float = 4.0

    def __post_init__(self) -> None:
        """Refuse a negative weight, and a temperature that is not positive."""
        super().__post_init__()
        require_not_negative(kd_weight=self.kd_weight)
        require_positive(temperature=self.temperature)


def divergence(logits: Tensor, target: Tensor, temperature: float = 1.0) -> Tensor:
    """Compute T^2 / B * sum_b KL(softmax(target / T) || softmax(logits / T)), a scalar.

    The gradient reaches both; detach ``target`` where it is to teach only.

    Args:
        logits: (B, K), which learn.
        target: (B, K), which they follow.
        temperature: T.
    """
    ours, theirs = (log_softmax(z / temperature, dim=1) for z in (logits, target))
    return temperature**2 * of_each(ours, theirs).mean()
