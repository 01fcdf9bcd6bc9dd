"""Online distillation of feature maps by adversaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, cast

import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.distillers.parts.maps import pool_to_smaller, projection
from sakd.foundation.errors import require, require_not_negative, require_positive
from sakd.networks import StagedNetwork, feature_shapes
from sakd.networks.zoo.blocks import GlobalAveragePool
from sakd.objectives import Outputs, Player, Settings, StepResult
from sakd.objectives.outputs import full_precision
from sakd.systems.base import Partner, Situation, System
from sakd.systems.dml import DML, MutualSettings
from sakd.systems.parts.peers import learner, peers_of, terms_of
from sakd.tasks import Task

LAYERS, SLOPE = 2, 0.2
"""Convolutions of a discriminator, and the slope of its rectifiers below 0."""


@dataclass(frozen=True, kw_only=True)
class AdversarialSettings(Settings):
    """The settings of `AFDOnline`.

    Attributes:
        temperature: T.
        adversarial: The weight of the loss by a discriminator in that of its network; the default
            is of this project.
    """

    temperature: float = 3.0
    adversarial: float = 0.1

    def __post_init__(self) -> None:
        """Check the numbers."""
        require_positive(temperature=self.temperature)
        require_not_negative(adversarial=self.adversarial)


def discriminator(channels: int) -> nn.Module:
    """Make a classifier of maps (B, C, H, W) of so many ``channels``: (B, 1), in [0, 1].

    Its batch norms take the statistics of each batch, so that maps of both networks, which it
    sees one after the other, do not mix.
    """
    layers: list[nn.Module] = []
    for _ in range(LAYERS):
        layers += [
            nn.Conv2d(channels, channels, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(channels, track_running_stats=False),
            nn.LeakyReLU(SLOPE),
        ]
    return nn.Sequential(*layers, GlobalAveragePool(), nn.Linear(channels, 1), nn.Sigmoid())


class AFDOnline(System[AdversarialSettings]):
    """Two networks that learn from each other's logits, and whose last maps become alike.

    Chung et al., ICML 2020, arXiv:2002.01775. Beside the losses of `DML` at temperature T, network
    i has a discriminator D_i, which should find 1 for the other's map and 0 for its own. With maps
    F_i, L_D = sum over i of mean_b (1 - D_i(F_j))^2 + D_i(F_i)^2 is the loss of the
    ``discriminators``; network i adds ``adversarial`` times L_G = mean_b (1 - D_i(F_i))^2 to its
    own. Where the peer's map has other channels, a 1x1 convolution of the peer changes their
    number; a larger map is averaged to the smaller one's size. The formula follows descriptions of
    the method; its paper was not compared.
    Differs from these: they update the weights of a network twice in each step, by L_G with an
    optimiser of its own that is slower; here L_G is a part of the one loss, with a weight.
    """

    partner = Partner.PEERS
    settings = AdversarialSettings

    def __init__(
        self,
        student: StagedNetwork,
        peer: StagedNetwork,
        channels: tuple[int, int],
        task: Task,
        how: AdversarialSettings = AdversarialSettings(),
    ) -> None:
        """Let two networks learn from each other.

        Args:
            student: The network that is kept.
            peer: The network beside it.
            channels: Those of the last maps of both.
            task: The task that gives the label losses.
            how: The settings.
        """
        super().__init__()
        ours, theirs = channels
        self.mutual = DML(student, [peer], task, MutualSettings(temperature=how.temperature))
        self.transfers = nn.ModuleList([projection(ours, ours), projection(theirs, ours)])
        self.discriminators = nn.ModuleList([discriminator(ours), discriminator(ours)])
        self.how = how

    @classmethod
    def of(cls, situation: Situation, settings: AdversarialSettings) -> Self:
        """Take the partner for the peer.

        Raises:
            UserError: A network has no last map.
        """
        (peer,) = peers_of(situation, 1)
        data, student = situation.data, situation.student
        channels = (
            channels_of(student, data.image_shape),
            channels_of(peer, data.image_shape),
        )
        return cls(student, peer, channels, data.task, settings)

    @property
    def network(self) -> StagedNetwork:
        """The student."""
        return self.mutual.network

    def further_networks(self) -> dict[str, nn.Module]:
        """Name the peer, and the mean of the probabilities of both."""
        return self.mutual.further_networks()

    def players(self) -> dict[str, Player]:
        """Name a player for each network, and the discriminators; all learn as the student does."""
        networks = zip(self.mutual.everyone.items(), self.transfers, strict=True)
        return {
            **{name: learner(name, network, transfer) for (name, network), transfer in networks},
            "discriminators": learner("discriminators", self.discriminators),
        }

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the losses of all players on ``batch``; ``teacher`` is ignored."""
        found = [network.extract(batch.images) for network in self.mutual.everyone.values()]
        last = zip(self.transfers, found, strict=True)
        one, two = (transfer(features.features[-2]) for transfer, features in last)
        judged = self.judged(pool_to_smaller(one, two))
        logits = full_precision(features.logits for features in found)
        with torch.autocast(batch.images.device.type, enabled=False):
            return self.losses(self.mutual.losses(logits, batch), judged)

    def judged(self, maps: Sequence[Tensor]) -> list[tuple[Tensor, ...]]:
        """Ask each discriminator about the last maps (B, C, H, W) of both networks.

        Returns:
            By network: of its own map with gradient, of its own map, and of the other's; (B, 1).
        """
        judges = cast("Sequence[nn.Module]", self.discriminators)
        own = zip(judges, maps, reversed(maps), strict=True)
        asked = [[judge(x) for x in (a, a.detach(), b.detach())] for judge, a, b in own]
        return [full_precision(answers) for answers in asked]

    def losses(self, mutual: StepResult, judged: Sequence[Sequence[Tensor]]) -> StepResult:
        """Add the adversarial losses to the ``mutual`` ones of the networks; see `judged`."""
        result, adversaries = StepResult(dict(mutual.losses), dict(mutual.terms)), []
        for name, (moved, own, other) in zip(self.mutual.everyone, judged, strict=True):
            fooled = (1 - moved).square().mean()
            adversaries.append(((1 - other).square() + own.square()).mean())
            result.losses[name] = mutual.losses[name] + self.how.adversarial * fooled
            result.terms.update(terms_of(name, adversarial=fooled))
        result.losses["discriminators"] = torch.stack(adversaries).sum()
        result.terms["discriminators"] = result.losses["discriminators"].detach()
        return result


def channels_of(network: StagedNetwork, image_shape: tuple[int, ...]) -> int:
    """Count the channels of the last map of ``network``.

    Raises:
        UserError: It has none.
    """
    last = ((), *feature_shapes(network, image_shape))[-2]
    require(
        len(last) == len("CHW"),
        f"afd_online compares last maps (C, H, W), but the last stage of a network gives {last}: "
        "take convolutional networks",
    )
    return last[0]
