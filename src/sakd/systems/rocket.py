"""Rocket launching: a light network and a booster that share convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from torch import Tensor, nn

from sakd.data import Batch
from sakd.foundation.arithmetic import without_casts
from sakd.foundation.errors import require, require_not_negative
from sakd.networks import StagedNetwork
from sakd.objectives import Outputs, Player, Settings, StepResult
from sakd.objectives.outputs import full_precision
from sakd.systems.base import Partner, Situation, System
from sakd.systems.parts.peers import peers_of
from sakd.tasks import Task


@dataclass(frozen=True, kw_only=True)
class LaunchSettings(Settings):
    """The settings of `Rocket`; the defaults are those of the authors' code.

    Attributes:
        gamma: The weight of the distance between the logits.
        share: Whether the booster has the convolutions of the light network.
    """

    gamma: float = 0.03
    share: bool = True

    def __post_init__(self) -> None:
        """Check the numbers."""
        require_not_negative(gamma=self.gamma)


class Rocket(System[LaunchSettings]):
    """A light network, the student, trained with a booster that shares its convolutions.

    Zhou et al., AAAI 2018, arXiv:1708.04106. L = CE(l, y) + CE(b, y) + gamma mean || l - b ||^2 of
    logits l and b of the light network and the booster, where b is given in the last term. The
    booster has every convolution of the light network as its own of the same name; batch norms and
    heads are apart. In residual networks of one family and width these are the stem and the first
    blocks of each stage. One player trains the weights of both.
    Differs from the authors' code: the mean is over the images of the batch, where a smaller last
    batch counts for less there; its second way to share, by whole stages, is not here.
    """

    partner = Partner.PEERS
    settings = LaunchSettings

    def __init__(
        self,
        student: StagedNetwork,
        booster: StagedNetwork,
        task: Task,
        how: LaunchSettings = LaunchSettings(),
    ) -> None:
        """Train ``student`` with ``booster``, which takes its convolutions.

        Raises:
            UserError: The booster lacks one of them.
        """
        super().__init__()
        self.student = student
        self.booster = booster
        self.task = task
        self.how = how
        if how.share:
            tie(student, booster)

    @classmethod
    def of(cls, situation: Situation, settings: LaunchSettings) -> Self:
        """Take the partner for the booster."""
        (booster,) = peers_of(situation, 1)
        return cls(situation.student, booster, situation.data.task, settings)

    @property
    def network(self) -> StagedNetwork:
        """The light network."""
        return self.student

    def further_networks(self) -> dict[str, nn.Module]:
        """Name the booster."""
        return {"booster": self.booster}

    def players(self) -> dict[str, Player]:
        """Name one player: the weights of both networks, each once."""
        return {"student": Player.of(self.student, self.booster)}

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the loss of ``batch``; ``teacher`` is ignored."""
        images = batch.images
        light, booster = full_precision([self.student(images), self.booster(images)])
        with without_casts(images.device):
            return self.losses(light, booster, batch)

    def losses(self, light: Tensor, booster: Tensor, batch: Batch) -> StepResult:
        """Compute the loss for the logits (B, K) of both networks."""
        own, theirs = self.task.loss(light, batch), self.task.loss(booster, batch)
        hint = distance(light, booster)
        terms = {"cross_entropy": own, "booster": theirs, "hint": hint}
        total = own + theirs + self.how.gamma * hint
        return StepResult({"student": total}, {name: t.detach() for name, t in terms.items()})


def distance(light: Tensor, booster: Tensor) -> Tensor:
    """Compute the mean of || l - b ||^2 of logits (B, K), where the booster's are given."""
    return (light - booster.detach()).square().sum(dim=1).mean()


def tie(light: StagedNetwork, booster: StagedNetwork) -> None:
    """Give the convolutions of ``booster`` the weights of those of ``light`` of the same names.

    Raises:
        UserError: One of ``light`` has no counterpart of its shape.
    """
    ours, theirs = (convolutions(network) for network in (light, booster))
    for name, own in ours.items():
        fits = name in theirs and shapes(own) == shapes(theirs[name])
        require(
            fits,
            f"rocket shares convolutions, but the booster has none like {name!r} of the student, "
            f"{tuple(own.weight.shape)}: take a deeper network of the same family and width, or "
            "set share to false",
        )
    for name, own in ours.items():
        for part, parameter in own.named_parameters():
            setattr(theirs[name], part, parameter)


def convolutions(network: nn.Module) -> dict[str, nn.Conv2d]:
    """Name the convolutions of ``network``."""
    return {name: part for name, part in network.named_modules() if isinstance(part, nn.Conv2d)}


def shapes(layer: nn.Module) -> dict[str, tuple[int, ...]]:
    """Give the shapes of the parameters of ``layer`` by name."""
    return {name: tuple(parameter.shape) for name, parameter in layer.named_parameters()}
