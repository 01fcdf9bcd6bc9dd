"""Dense cross-layer mutual distillation: every head of a network learns from all of another's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self, cast

import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.foundation.arithmetic import without_casts
from sakd.foundation.errors import require_not_negative, require_positive
from sakd.networks import StagedNetwork
from sakd.objectives import Outputs, Player, Settings, StepResult
from sakd.objectives.outputs import full_precision
from sakd.systems.base import Partner, Situation, System
from sakd.systems.parts.divergence import divergence
from sakd.systems.parts.peers import learner, names_of, peers_of, terms_of
from sakd.systems.parts.tails import last_stage, tail
from sakd.systems.parts.view import View
from sakd.tasks import Task


@dataclass(frozen=True, kw_only=True)
class DenseSettings(Settings):
    """The settings of `DCM`; the defaults are those of the authors' code.

    Attributes:
        heads: The heads of each network in addition to its own.
        temperature: T.
    """

    heads: int = 2
    temperature: float = 1.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        require_not_negative(heads=self.heads)
        require_positive(temperature=self.temperature)


class Headed(nn.Module):
    """A network with further heads, each a tail on the feature of an earlier stage.

    Attributes:
        network: The network.
        heads: The tails, in order of depth; the last begins with the stage of the last map.
    """

    def __init__(self, network: StagedNetwork, heads: Sequence[StagedNetwork]) -> None:
        """Put ``heads`` on the last stages of ``network``, one after each."""
        super().__init__()
        self.network = network
        self.heads = nn.ModuleList(heads)
        self.starts = starts_of(network, len(heads))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map images (B, C, H, W) to the logits (B, K) of every head, the network's own first."""
        found = self.network.extract(images)
        heads = zip(self.starts, self.heads, strict=True)
        return [found.logits, *(head(found.features[start - 1]) for start, head in heads)]

    def logits(self, number: int, images: Tensor) -> Tensor:
        """Give the logits (B, K) of one head; 0 is the network's own."""
        return self.forward(images)[number]


class DCM(System[DenseSettings]):
    """Two networks with further heads; each head learns from all heads of the other network.

    Yao and Sun, ECCV 2020, arXiv:2008.07816. Each network i is a player with its heads a, and
    minimises L_i = sum_a CE(z_ia, y) + sum over a, b of T^2 KL(p_jb || p_ia), p = softmax(z / T),
    where the p_jb of the other network j are given. All have weight 1.
    Differs from the authors' code: heads are the last stages of a fresh network of the same name,
    where that code has other depths and widths and adds 1e-8 to probabilities.
    """

    partner = Partner.PEERS
    settings = DenseSettings

    def __init__(
        self, student: Headed, peer: Headed, task: Task, how: DenseSettings = DenseSettings()
    ) -> None:
        """Let ``student`` and ``peer`` learn from the labels of ``task`` and from each other."""
        super().__init__()
        self.pair = nn.ModuleList([student, peer])
        self.task = task
        self.how = how

    @classmethod
    def of(cls, situation: Situation, settings: DenseSettings) -> Self:
        """Give the student and its partner fresh heads.

        Raises:
            UserError: A network has too few stages.
        """
        (peer,) = peers_of(situation, 1)
        student, numbers = situation.student, range(1, settings.heads + 1)
        ours = [situation.fresh(number, False) for number in numbers]
        theirs = [situation.fresh(number + 1, True) for number in numbers]
        pair = (with_heads(student, ours), with_heads(peer, theirs))
        return cls(*pair, situation.data.task, settings)

    @property
    def network(self) -> StagedNetwork:
        """The student."""
        return self.everyone["student"].network

    @property
    def everyone(self) -> dict[str, Headed]:
        """Both networks with their heads, by the names of their players."""
        return dict(zip(names_of(1), cast("Sequence[Headed]", self.pair), strict=True))

    def further_networks(self) -> dict[str, nn.Module]:
        """Name the peer, and the heads of the student in order of depth."""
        ours, theirs = self.everyone.values()
        numbers = range(1, len(ours.heads) + 1)
        return {
            "peer1": theirs.network,
            **{f"head{k}": View(self, partial(ours.logits, k)) for k in numbers},
        }

    def players(self) -> dict[str, Player]:
        """Name a player for each network with its heads; the peer learns as the student does."""
        return {name: learner(name, headed) for name, headed in self.everyone.items()}

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the losses of both networks on ``batch``; ``teacher`` is ignored."""
        logits = [full_precision(headed(batch.images)) for headed in self.everyone.values()]
        with without_casts(batch.images.device):
            return self.losses(logits, batch)

    def losses(self, logits: Sequence[Sequence[Tensor]], batch: Batch) -> StepResult:
        """Compute the losses.

        Args:
            logits: (B, K) of the heads of both networks, each network's own first.
            batch: The images and their labels.
        """
        result = StepResult({}, {})
        for name, ours, theirs in zip(self.everyone, logits, reversed(logits), strict=True):
            labels = torch.stack([self.task.loss(z, batch) for z in ours])
            far = [divergence(z, t.detach(), self.how.temperature) for z in ours for t in theirs]
            mutual = torch.stack(far).sum()
            result.losses[name] = labels.sum() + mutual
            heads = labels[1:].sum()
            terms = terms_of(name, cross_entropy=labels[0], heads=heads, mutual=mutual)
            result.terms.update(terms)
        return result


def starts_of(network: StagedNetwork, heads: int) -> list[int]:
    """Give the first stages of so many ``heads`` of ``network``, in order of depth.

    Raises:
        UserError: It has too few stages.
    """
    return [last_stage(network, back) for back in reversed(range(heads))]


def with_heads(network: StagedNetwork, fresh: Sequence[StagedNetwork]) -> Headed:
    """Give ``network`` the last stages of ``fresh`` networks of its name as heads."""
    starts = starts_of(network, len(fresh))
    return Headed(network, [tail(*pair) for pair in zip(fresh, starts, strict=True)])
