"""Self-distillation as instance-specific label smoothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import softmax

from sakd.data import Batch
from sakd.foundation.errors import require, require_positive
from sakd.objectives import Settings
from sakd.systems.parts.learner import Term
from sakd.systems.parts.targets import soft_cross_entropy
from sakd.systems.parts.taught import TaughtByItself


@dataclass(frozen=True, kw_only=True)
class InstanceSmoothingSettings(Settings):
    """The settings of `InstanceSmoothing`.

    Attributes:
        alpha: The weight of the teacher's part; the label loss has 1 - alpha.
        temperature: T, which softens the teacher alone.
    """

    alpha: float = 0.4
    temperature: float = 4.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        require(0 <= self.alpha <= 1, f"alpha must be in [0, 1], got {self.alpha}")
        require_positive(temperature=self.temperature)


class InstanceSmoothing(TaughtByItself[InstanceSmoothingSettings]):
    """Learn from an earlier training of the same network, whose answers smooth the labels.

    Zhang & Sabuncu, NeurIPS 2020, arXiv:2006.05065, as in the authors' code:
    L = (1 - alpha) CE - alpha mean_b sum_k softmax(z_t / T)_k log softmax(z_s)_k. The student is
    not softened, and there is no T^2. A further generation has the student of the one before it as
    its teacher.
    Differs from the authors' code: there, 1e-8 is added to the student's probabilities.
    """

    settings = InstanceSmoothingSettings

    def terms(self, batch: Batch, seen: Sequence[Tensor]) -> dict[str, Term]:
        """Compute the label loss and the cross-entropy with the teacher's answers."""
        (logits, taught), chosen = seen, self.chosen
        target = softmax(taught / chosen.temperature, dim=1)
        return {
            "cross_entropy": Term(self.task.loss(logits, batch), 1 - chosen.alpha),
            "soft_cross_entropy": Term(soft_cross_entropy(logits, target).mean(), chosen.alpha),
        }
