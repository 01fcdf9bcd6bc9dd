"""Deep mutual learning: networks that learn from each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, cast

import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.foundation.arithmetic import without_casts
from sakd.foundation.errors import require, require_not_negative, require_positive
from sakd.networks import StagedNetwork
from sakd.objectives import Outputs, Player, Settings, StepResult
from sakd.objectives.outputs import full_precision
from sakd.systems.base import Partner, Situation, System
from sakd.systems.parts.divergence import divergence
from sakd.systems.parts.peers import learner, names_of, peers_of, require_few, terms_of
from sakd.systems.parts.view import View
from sakd.tasks import Task


@dataclass(frozen=True, kw_only=True)
class MutualSettings(Settings):
    """The settings of `DML`.

    Attributes:
        peers: N - 1, the networks in addition to the student.
        weight: The weight of the divergence from the peers.
        temperature: T.
    """

    peers: int = 1
    weight: float = 1.0
    temperature: float = 1.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        require(self.peers >= 1, f"peers must be 1 or more, got {self.peers}: nobody would teach")
        require_few(peers=self.peers)
        require_not_negative(weight=self.weight)
        require_positive(temperature=self.temperature)


class DML(System[MutualSettings]):
    """N networks, each taught by the labels and by the others; deep mutual learning.

    Zhang et al., CVPR 2018, arXiv:1706.00384. Each network i is a player and minimises
    L_i = CE(z_i, y) + weight / (N - 1) * sum over j != i of T^2 KL(p_j || p_i), p = softmax(z / T),
    where p_j is given. The peers are all of the kind that stands for the teacher.
    Differs from the authors' code: with more than two networks it sums over the others; and it
    updates the networks one after the other on different batches, here all are updated together.
    """

    partner = Partner.PEERS
    settings = MutualSettings

    def __init__(
        self,
        student: StagedNetwork,
        peers: Sequence[StagedNetwork],
        task: Task,
        how: MutualSettings = MutualSettings(),
    ) -> None:
        """Let ``student`` and ``peers`` learn from the labels of ``task`` and from each other."""
        super().__init__()
        self.student = student
        self.peers = nn.ModuleList(peers)
        self.task = task
        self.how = how

    @classmethod
    def of(cls, situation: Situation, settings: MutualSettings) -> Self:
        """Take the partner for the first peer, and fresh networks of its kind for others."""
        peers = peers_of(situation, settings.peers)
        return cls(situation.student, peers, situation.data.task, settings)

    @property
    def network(self) -> StagedNetwork:
        """The student."""
        return self.student

    @property
    def everyone(self) -> dict[str, StagedNetwork]:
        """All networks by the names of their players."""
        networks = cast("Sequence[StagedNetwork]", (self.student, *self.peers))
        return dict(zip(names_of(len(self.peers)), networks, strict=True))

    def further_networks(self) -> dict[str, nn.Module]:
        """Name the peers, and the mean of the probabilities of all."""
        _, *peers = self.everyone.items()
        return {**dict(peers), "ensemble": View(self, self.mean_chances)}

    def mean_chances(self, images: Tensor) -> Tensor:
        """Average the probabilities (B, K) that all networks give for images (B, C, H, W)."""
        return torch.stack([n(images).softmax(dim=1) for n in self.everyone.values()]).mean(dim=0)

    def players(self) -> dict[str, Player]:
        """Name a player for each network; the peers learn as the student does."""
        return {name: learner(name, network) for name, network in self.everyone.items()}

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the losses of all networks on ``batch``; ``teacher`` is ignored."""
        logits = full_precision([network(batch.images) for network in self.everyone.values()])
        with without_casts(batch.images.device):
            return self.losses(logits, batch)

    def losses(self, logits: Sequence[Tensor], batch: Batch) -> StepResult:
        """Compute the losses for the ``logits`` (B, K) of every network, the student's first."""
        result = StepResult({}, {})
        for name, own in zip(self.everyone, logits, strict=True):
            others = [other.detach() for other in logits if other is not own]
            far = [divergence(own, other, self.how.temperature) for other in others]
            labels, mutual = self.task.loss(own, batch), torch.stack(far).mean()
            result.losses[name] = labels + self.how.weight * mutual
            result.terms.update(terms_of(name, cross_entropy=labels, mutual=mutual))
        return result
