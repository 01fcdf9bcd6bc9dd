"""Tf-KD with an earlier training of the student as its teacher."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from sakd.data import Batch
from sakd.systems.parts.divergence import divergence
from sakd.systems.parts.learner import Term
from sakd.systems.parts.taught import TaughtByItself
from sakd.systems.tfkd_reg import TfKDSettings


@dataclass(frozen=True, kw_only=True)
class TfKDSelfSettings(TfKDSettings):
    """The settings of `TfKDSelf`; defaults of ResNet18 on CIFAR-100, where m / K is 50 / 100.

    Attributes:
        alpha: The weight of the teacher's part; the label loss has 1 - alpha.
        temperature: T.
        multiplier: m / K, see `TfKDSettings`.
    """

    alpha: float = 0.95
    temperature: float = 6.0
    multiplier: float = 0.5


class TfKDSelf(TaughtByItself[TfKDSelfSettings]):
    """Learn from an earlier training of the same network: teacher-free self-training.

    Yuan et al., CVPR 2020, arXiv:1909.11723, as in the authors' code:
    L = (1 - alpha) CE + alpha m / K * T^2 mean_b KL(softmax(z_t / T) || softmax(z_s / T)).
    """

    settings = TfKDSelfSettings

    def terms(self, batch: Batch, seen: Sequence[Tensor]) -> dict[str, Term]:
        """Compute the label loss and the divergence from the teacher."""
        (logits, taught), chosen = seen, self.chosen
        error = divergence(logits, taught.detach(), chosen.temperature)
        return {
            "cross_entropy": Term(self.task.loss(logits, batch), 1 - chosen.alpha),
            "kd": Term(error, chosen.alpha * chosen.multiplier),
        }
