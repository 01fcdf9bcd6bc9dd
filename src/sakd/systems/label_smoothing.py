"""Label smoothing: the control of every way of learning from oneself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from sakd.data import Batch
from sakd.foundation.errors import require
from sakd.objectives import Settings
from sakd.systems.base import Partner
from sakd.systems.parts.learner import Learner, Term
from sakd.tasks.smoothing import smoothed_loss


@dataclass(frozen=True, kw_only=True)
class SmoothingSettings(Settings):
    """The settings of `LabelSmoothing`.

    Attributes:
        epsilon: The share of the probability that goes to the classes other than the label.
    """

    epsilon: float = 0.1

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        fine = 0 <= self.epsilon < 1
        require(fine, f"epsilon must be from 0 to below 1, got {self.epsilon}")


class LabelSmoothing(Learner[SmoothingSettings]):
    """Cross-entropy with smoothed labels; the control of Tf-KD (arXiv:1909.11723).

    L = -sum_k s_k log p_k with s = 1 - epsilon at the label and epsilon / (K - 1) at each of the
    other classes, as in the code of its authors. (`torch.nn.CrossEntropyLoss` shares epsilon among
    all K classes instead.)
    """

    partner = Partner.NONE
    settings = SmoothingSettings

    def terms(self, batch: Batch, seen: Sequence[Tensor]) -> dict[str, Term]:
        """Compute the loss on smoothed labels, see `smoothed_loss`."""
        (logits,) = seen
        loss = smoothed_loss(logits, batch, self.task, self.chosen.epsilon)
        return {"smoothed_cross_entropy": Term(loss)}
