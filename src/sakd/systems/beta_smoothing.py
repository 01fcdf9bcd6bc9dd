"""Beta smoothing: labels smoothed at random, least where an average of the student is surest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import softmax

from sakd.data import Batch
from sakd.foundation.errors import require, require_positive
from sakd.networks.averaged import Averaged
from sakd.objectives import Outputs, Settings
from sakd.systems.base import Partner, Situation
from sakd.systems.parts.learner import Learner, Term
from sakd.systems.parts.targets import soft_cross_entropy


@dataclass(frozen=True, kw_only=True)
class BetaSmoothingSettings(Settings):
    """The settings of `BetaSmoothing`.

    Attributes:
        alpha: The weight of the loss on smoothed labels; that on the labels has 1 - alpha.
        concentration: a of Beta(a, 1), of which the probabilities of the labels are drawn.
        decay: The largest share of the average that stays at an update.
    """

    alpha: float = 0.6
    concentration: float = 3.0
    decay: float = 0.999

    def __post_init__(self) -> None:
        """Check the numbers."""
        require(0 <= self.alpha <= 1, f"alpha must be in [0, 1], got {self.alpha}")
        require_positive(concentration=self.concentration)
        require(0 <= self.decay < 1, f"decay must be from 0 to below 1, got {self.decay}")


class BetaSmoothing(Learner[BetaSmoothingSettings]):
    """Smooth the label of each image by a random amount, less the surer an averaged copy is.

    Zhang & Sabuncu, NeurIPS 2020, arXiv:2006.05065, as in the authors' code:
    L = 0.4 CE - 0.6 mean_b sum_k t_k log softmax(z)_k, where the target t of an image has b at the
    label and (1 - b) / (K - 1) at the others. B numbers are drawn of Beta(3, 1); the r-th smallest
    is that of the image of rank r by the probability of its label in the copy. The copy averages
    the parameters after every update, see `Averaged`. It runs in training mode, without gradient,
    so its batch norms have statistics of their own. Of a mixed image the label with the larger
    share is ranked, and both labels are smoothed.
    Differs from the authors' code: there, 1e-8 is added to the student's probabilities.
    """

    partner = Partner.NONE
    settings = BetaSmoothingSettings

    def __init__(self, situation: Situation, settings: BetaSmoothingSettings) -> None:
        """Train the student of ``situation``; its average starts from fresh weights."""
        super().__init__(situation, settings)
        self.copy = Averaged(situation.fresh(1, False), settings.decay)

    def further_networks(self) -> dict[str, nn.Module]:
        """Name the average."""
        return {"average": self.copy.network}

    def updated(self) -> None:
        """Let the average follow."""
        self.copy.follow(self.student)

    def seen(self, batch: Batch, teacher: Outputs | None) -> Sequence[Tensor]:
        """Give the logits (B, K) of the student, and of its average."""
        logits = self.student(batch.images)
        with torch.no_grad():
            return [logits, self.copy(batch.images)]

    def terms(self, batch: Batch, seen: Sequence[Tensor]) -> dict[str, Term]:
        """Compute the loss on the labels, and that on smoothed ones."""
        (logits, judged), alpha = seen, self.chosen.alpha
        right = self.draws(batch, judged)

        def smoothed(labels: Tensor) -> Tensor:
            return soft_cross_entropy(logits, targets(right, labels, logits.shape[1]))

        return {
            "cross_entropy": Term(self.task.loss(logits, batch), 1 - alpha),
            "smoothed_cross_entropy": Term(batch.by_labels(smoothed).mean(), alpha),
        }

    def draws(self, batch: Batch, judged: Tensor) -> Tensor:
        """Draw the probabilities (B,) of the labels, by rank in the logits (B, K) ``judged``."""
        source = batch.draws("beta")
        uniform = torch.rand(
            len(judged), generator=source, device=judged.device, dtype=torch.float64
        )
        # The inverse of the distribution function of Beta(a, 1), x^a.
        drawn = uniform.pow(1 / self.chosen.concentration).to(judged.dtype)
        return by_rank(drawn, softmax(judged, dim=1), batch.leading_labels)


def by_rank(drawn: Tensor, chances: Tensor, labels: Tensor) -> Tensor:
    """Give each image the one of ``drawn`` (B,) that has its rank, the smallest the first.

    Args:
        drawn: (B,), in any order.
        chances: Probabilities (B, K).
        labels: (B,) int64; images are ranked by the probabilities of these.
    """
    sure = chances.gather(1, labels[:, None])[:, 0]
    ranks = sure.argsort(stable=True).argsort(stable=True)
    ordered: Tensor = drawn.sort().values[ranks]
    return ordered


def targets(right: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Make targets (B, K) of the probabilities ``right`` (B,) of the ``labels`` (B,) int64."""
    own, others = right[:, None], (1 - right[:, None]) / (classes - 1)
    return others.expand(-1, classes).scatter(1, labels[:, None], own)
