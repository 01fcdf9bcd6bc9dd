"""OKDDip: diverse peers that weigh each other, and a leader that learns from all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.foundation.arithmetic import without_casts
from sakd.foundation.errors import require
from sakd.networks import StagedNetwork, feature_shapes
from sakd.objectives import Outputs, StepResult
from sakd.objectives.outputs import full_precision
from sakd.systems.base import Partner, Situation
from sakd.systems.parts.branched import fresh_tails
from sakd.systems.parts.divergence import divergence
from sakd.systems.parts.gate import gated
from sakd.systems.parts.peers import require_few
from sakd.systems.parts.ramp import RampSettings, Rising
from sakd.systems.parts.tails import last_stage
from sakd.systems.parts.vectors import vector, width
from sakd.systems.parts.view import View
from sakd.tasks import Task

REDUCTION = 8
"""Queries and keys have this part of the width of an embedding."""


@dataclass(frozen=True, kw_only=True)
class PeerSettings(RampSettings):
    """The settings of `OKDDip`; the defaults are those of the authors' code.

    Attributes:
        peers: m - 1, the peers in addition to the leader.
        networks: Whether peers are whole networks, in place of branches of one.
        detach_leader: Whether the peers are given to the leader, so that it does not move them.
    """

    peers: int = 3
    networks: bool = False
    detach_leader: bool = False

    def __post_init__(self) -> None:
        """Refuse a single peer."""
        super().__post_init__()
        require(self.peers > 1, f"peers must be 2 or more, got {self.peers}: one weighs no others")
        require_few(peers=self.peers)


class Attention(nn.Module):
    """How much each peer listens to the others: softmax over j of (W_q h_i) . (W_k h_j)."""

    def __init__(self, inputs: int) -> None:
        """Compare embeddings of the width ``inputs``."""
        super().__init__()
        inner = max(1, inputs // REDUCTION)
        self.query = nn.Linear(inputs, inner, bias=False)
        self.key = nn.Linear(inputs, inner, bias=False)

    def forward(self, embeddings: Sequence[Tensor]) -> Tensor:
        """Map the embeddings (B, D) of the peers to attention (B, peers, peers).

        Row i is that of peer i, and sums to 1.
        """
        together = torch.stack(list(embeddings), dim=1)
        return torch.softmax(self.query(together) @ self.key(together).mT, dim=2)


class OKDDip(Rising[PeerSettings]):
    """Peers that learn from mixtures of each other, and a leader that learns from their mean.

    Chen et al., AAAI 2020, arXiv:1912.00350. The peers have embeddings h_i and logits z_i, and the
    attention A of `Attention` among themselves, with each peer to itself too. t_i = sum_j A_ij z_j.
    L = CE(z, y) + sum_i CE(z_i, y) + ramp T^2 (sum_i KL(t_i || z_i) + KL(mean_i z_i || z)), over
    softmax(. / T), where z is of the leader, the student. As in the authors' code the gradient
    flows into targets too: it is what trains W_q and W_k, and the leader moves the peers. One
    player trains all. Peers are branches from the last stage on, or whole networks of the
    student's kind. For the weight see `Ramp`.
    Differs from the authors' code: that adds 1e-7 to targets before their logarithm.
    """

    partner = Partner.NONE
    settings = PeerSettings

    def __init__(
        self,
        student: StagedNetwork,
        tails: Sequence[StagedNetwork],
        attention: Attention,
        task: Task,
        how: PeerSettings = PeerSettings(),
    ) -> None:
        """Put ``tails``, the peers, and their ``attention`` beside ``student``, the leader."""
        super().__init__(student, tails, first_of_peers(student, how), task, how)
        self.attention = attention

    @classmethod
    def of(cls, situation: Situation, settings: PeerSettings) -> Self:
        """Give the student fresh peers."""
        student, data = situation.student, situation.data
        tails = fresh_tails(situation, settings.peers, first_of_peers(student, settings))
        attention = Attention(width(feature_shapes(student, data.image_shape)[-1]))
        return cls(student, tails, attention, data.task, settings)

    def further_networks(self) -> Mapping[str, nn.Module]:
        """Name the peers, and the mean of their logits."""
        return {**self.views("peer", 1), "ensemble": View(self, self.ensemble)}

    def ensemble(self, images: Tensor) -> Tensor:
        """Average the logits (B, K) of the peers for images (B, C, H, W)."""
        _, (_, *peers) = self.branches(images)
        return torch.stack([peer.logits for peer in peers]).mean(dim=0)

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the loss of ``batch``; ``teacher`` is ignored."""
        _, branches = self.branches(batch.images)
        logits = full_precision(branch.logits for branch in branches)
        embeddings = full_precision(vector(branch.features[-1]) for branch in branches[1:])
        with without_casts(batch.images.device):
            return self.losses(logits, embeddings, batch)

    def losses(
        self, logits: Sequence[Tensor], embeddings: Sequence[Tensor], batch: Batch
    ) -> StepResult:
        """Compute the loss.

        Args:
            logits: (B, K) of the leader, and of every peer.
            embeddings: (B, D) of every peer.
            batch: The images and their labels.
        """
        own, *peers = logits
        labels = [self.task.loss(z, batch) for z in logits]
        attention, heat = self.attention(embeddings), self.how.temperature
        targets = [gated(peers, row) for row in attention.unbind(dim=1)]
        far = [divergence(z, t, heat) for z, t in zip(peers, targets, strict=True)]
        mean = torch.stack(peers).mean(dim=0)
        group = divergence(own, mean.detach() if self.how.detach_leader else mean, heat)
        mixtures = torch.stack(far).sum()
        total = torch.stack(labels).sum() + self.ramp(mixtures + group)
        terms = {
            "cross_entropy": labels[0],
            "peers": torch.stack(labels[1:]).sum(),
            "mixtures": mixtures,
            "group": group,
            "ramp": self.ramp.weight,
        }
        return StepResult({"student": total}, {name: t.detach() for name, t in terms.items()})


def first_of_peers(student: StagedNetwork, how: PeerSettings) -> int:
    """Give the stage of ``student`` with which its peers begin; 0 for whole networks.

    Raises:
        UserError: It has too few stages for branches.
    """
    return 0 if how.networks else last_stage(student)
