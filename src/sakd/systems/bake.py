"""BAKE: images of a batch that look alike to a network soften each other's labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import kl_div, log_softmax, normalize, softmax

from sakd.data import Batch, Groups
from sakd.foundation.errors import require, require_not_negative, require_positive
from sakd.objectives import Outputs, Settings
from sakd.systems.base import Partner
from sakd.systems.parts.learner import Learner, Term


@dataclass(frozen=True, kw_only=True)
class BAKESettings(Settings):
    """The settings of `BAKE`; the defaults are the authors' for CIFAR-100.

    Attributes:
        omega: The share of what neighbours say in a target.
        temperature: T.
        weight: The weight of the divergence from the targets.
        companions: M, the images of the same class that come with each image, see `Groups`.
    """

    omega: float = 0.5
    temperature: float = 4.0
    weight: float = 1.0
    companions: int = 3

    def __post_init__(self) -> None:
        """Check the numbers."""
        require(0 <= self.omega < 1, f"omega must be from 0 to below 1, got {self.omega}")
        require_positive(temperature=self.temperature)
        require_not_negative(weight=self.weight)
        Groups(self.companions)  # which checks it

    @property
    def groups(self) -> Groups:
        """Images with companions of their class."""
        return Groups(self.companions)


class BAKE(Learner[BAKESettings]):
    """Let each image learn from the answers to those images of its batch that resemble it.

    Ge et al., 2021, arXiv:2104.13298, as in the authors' code:
    L = CE + weight * T^2 mean_b sum_k Q_bk log(Q_bk / softmax(z / T)_bk), where
    Q = (1 - omega) (I - omega A)^-1 P, P = softmax(z / T), and A has in each row the softmax of the
    cosines between the embeddings of an image and of all others. No gradient flows to Q. A batch of
    one image has no neighbours, and CE alone.
    Differs from the authors' code: as many steps an epoch as without companions, see `Groups`.
    """

    partner = Partner.NONE
    settings = BAKESettings

    def seen(self, batch: Batch, teacher: Outputs | None) -> Sequence[Tensor]:
        """Give the logits (B, K) and the embeddings (B, C)."""
        features, logits = self.student.extract(batch.images)
        return [logits, self.task.embedding(features)]

    def terms(self, batch: Batch, seen: Sequence[Tensor]) -> dict[str, Term]:
        """Compute the label loss and the divergence from what neighbours say."""
        (logits, embedding), chosen = seen, self.chosen
        terms = {"cross_entropy": Term(self.task.loss(logits, batch))}
        if len(logits) > 1:
            softened = logits / chosen.temperature
            target = propagated(softened, embedding, chosen.omega)
            error = kl_div(log_softmax(softened, dim=1), target, reduction="batchmean")
            terms["bake"] = Term(chosen.temperature**2 * error, chosen.weight)
        return terms


@torch.no_grad()
def propagated(softened: Tensor, embedding: Tensor, omega: float) -> Tensor:
    """Let what a network says of each image spread to those that look alike to it.

    Args:
        softened: Logits (B, K) over T, of two images or more.
        embedding: (B, C).
        omega: The share that comes from others.

    Returns:
        Probabilities (B, K).
    """
    units = normalize(embedding, dim=1)
    cosines = (units @ units.T).fill_diagonal_(-torch.inf)
    alike = softmax(cosines, dim=1)
    identity = torch.eye(len(alike), dtype=alike.dtype, device=alike.device)
    # It can be solved: rows of omega A sum to omega, which is below 1.
    solved, _ = torch.linalg.solve_ex(identity - omega * alike, softmax(softened, dim=1))
    targets: Tensor = (1 - omega) * solved.clamp(min=0)
    return targets
