"""Online distillation of feature maps by adversaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, cast

import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.distillers.parts.maps import pool_to_smaller, projection
from sakd.foundation.arithmetic import without_casts
from sakd.foundation.errors import require, require_not_negative, require_positive
from sakd.networks import Features, StagedNetwork, feature_shapes
from sakd.networks.zoo.blocks import GlobalAveragePool
from sakd.objectives import Outputs, Player, Settings, StepResult
from sakd.objectives.adam import AdamOptimisation
from sakd.objectives.outputs import full_precision
from sakd.systems.base import Partner, Situation, System
from sakd.systems.dml import DML, MutualSettings
from sakd.systems.parts.apart import apart
from sakd.systems.parts.peers import peers_of, terms_of
from sakd.systems.parts.tails import AFTER
from sakd.tasks import Task

LAYERS, SLOPE = 2, 0.2
"""Convolutions of a discriminator, and the slope of its rectifiers below 0."""
MAPS, DISCRIMINATORS = "{}_maps", "discriminators"
"""The names of the players that an adversary makes of another player, and of the adversaries."""


@dataclass(frozen=True, kw_only=True)
class AdversarialSettings(Settings):
    """The settings of `AFDOnline`.

    Attributes:
        temperature: T.
        adversarial_lr: The learning rate, by Adam, of the discriminators and of the second update
            of the networks, which is to be the slower one.
        adversarial_decay: Their weight decay.
    """

    temperature: float = 3.0
    adversarial_lr: float = 2e-5
    adversarial_decay: float = 0.1

    def __post_init__(self) -> None:
        """Check the numbers."""
        require_positive(temperature=self.temperature, adversarial_lr=self.adversarial_lr)
        require_not_negative(adversarial_decay=self.adversarial_decay)


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

    Chung et al., ICML 2020, arXiv:2002.01775. Network i is updated twice in each step. First, by
    the recipe of the student, by the loss of `DML` at temperature T. Then by that of an adversary:
    it has a discriminator D_i, which should find 1 for the other's map and 0 for its own. With maps
    F_i, the stages up to the last map and what changes its channels, the player ``NAME_maps``,
    minimise L_G = mean_b (1 - D_i(F_i))^2, and in turn the ``discriminators`` L_D = sum over i of
    mean_b (1 - D_i(F_j))^2 + D_i(F_i)^2; all of these by Adam. Where the peer's map has other
    channels, a 1x1 convolution of the peer changes their number; a larger map is averaged to the
    smaller one's size. Method, optimisers and rates follow descriptions; the paper was not
    compared, and no code was found. Without adversaries it is `DML` at T = 3.
    Differs from these: all gradients of a step are those of one forward pass, before any update.
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
        """Name a player for each network, again for what makes its map, and the discriminators."""
        how = self.how
        recipe = AdamOptimisation(lr=how.adversarial_lr, weight_decay=how.adversarial_decay)
        seconds = {MAPS.format(name): parts for name, parts in self._makers().items()}
        judges = list(self.discriminators.parameters())
        return {
            **self.mutual.players(),
            **{name: Player(parts, recipe) for name, parts in seconds.items()},
            DISCRIMINATORS: Player(judges, recipe),
        }

    def _makers(self) -> dict[str, list[nn.Parameter]]:
        """List what makes the last map of each network, by the name of its player."""
        networks = zip(self.mutual.everyone.items(), self.transfers, strict=True)
        return {
            name: Player.of(*list(network.stage_modules().values())[:-AFTER], transfer).parameters
            for (name, network), transfer in networks
        }

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the losses of all players on ``batch``; ``teacher`` is ignored."""
        found = [features_of(network, batch) for network in self.mutual.everyone.values()]
        last = zip(self.transfers, found, strict=True)
        one, two = (transfer(features.features[-2]) for transfer, features in last)
        maps = full_precision(pool_to_smaller(one, two))
        logits = full_precision(features.logits for features in found)
        with without_casts(batch.images.device):
            mutual = self.mutual.losses(logits, batch)
            adversarial = self.adversarial(self.judged(maps))
            for name, parts in self._makers().items():
                second = MAPS.format(name)
                adversarial.losses[second] = apart(adversarial.losses[second], parts)
        return StepResult(
            {**mutual.losses, **adversarial.losses}, {**mutual.terms, **adversarial.terms}
        )

    def judged(self, maps: Sequence[Tensor]) -> list[tuple[Tensor, ...]]:
        """Ask each discriminator about the last maps (B, C, H, W) of both networks.

        In full precision: on maps of one position, bfloat16 on a processor has gradients that are
        no numbers for the weights of a convolution that meet padding alone (oneDNN of torch 2.15).

        Returns:
            By network: of its own map with gradient, of its own map, and of the other's; (B, 1).
        """
        judges = cast("Sequence[nn.Module]", self.discriminators)
        own = zip(judges, maps, reversed(maps), strict=True)
        return [tuple(judge(x) for x in (a, a.detach(), b.detach())) for judge, a, b in own]

    def adversarial(self, judged: Sequence[Sequence[Tensor]]) -> StepResult:
        """Compute the losses of the makers of maps and of the discriminators; see `judged`."""
        result, adversaries = StepResult({}, {}), []
        for name, (moved, own, other) in zip(self.mutual.everyone, judged, strict=True):
            fooled = (1 - moved).square().mean()
            adversaries.append(((1 - other).square() + own.square()).mean())
            result.losses[MAPS.format(name)] = fooled
            result.terms.update(terms_of(name, adversarial=fooled))
        result.losses[DISCRIMINATORS] = torch.stack(adversaries).sum()
        result.terms[DISCRIMINATORS] = result.losses[DISCRIMINATORS].detach()
        return result


def features_of(network: StagedNetwork, batch: Batch) -> Features:
    """Run ``network`` so that more than one backward pass can go through it."""
    with network.uncompiled():
        return network.extract(batch.images)


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
