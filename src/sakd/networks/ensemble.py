"""Several networks that answer together."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sakd.networks.chain import Chain
from sakd.networks.outside.names import split_names
from sakd.networks.paths import TOGETHER
from sakd.networks.staged import StagedNetwork

_MEAN = "mean"
"""The one stage, by which the tensors of members are named."""


class Mean(nn.ModuleList):
    """The mean of the probabilities that several classifiers give, as logits."""

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) to logits (B, K): the logarithms of the mean probabilities."""
        given = torch.stack([network(images).log_softmax(dim=1) for network in self])
        return given.logsumexp(dim=0) - math.log(len(self))


class Joined(nn.ModuleList):
    """Classifiers of different classes, whose logits stand next to each other."""

    order: Tensor

    def __init__(self, members: Sequence[nn.Module], parts: Sequence[Sequence[int]]) -> None:
        """Join ``members``; ``parts`` are the numbers of their classes, each number once."""
        super().__init__(members)
        order = torch.tensor([place for part in parts for place in part]).argsort()
        self.register_buffer("order", order, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) to logits (B, K), in the order of all classes."""
        return torch.cat([network(images) for network in self], dim=1)[:, self.order]


class Ensemble(Chain):
    """Networks that answer together; it has no features.

    The probabilities of networks of the same classes are averaged, logits of different ones joined.
    Its name is that of its members, joined: ``resnet20&vgg8``.

    Attributes:
        parts: The numbers of the classes of each member; empty where all have the same.
    """

    def __init__(
        self, members: Sequence[StagedNetwork], parts: Sequence[Sequence[int]] = ()
    ) -> None:
        """Let ``members`` answer together.

        Args:
            members: The networks.
            parts: The numbers of the classes of each, every number once; none where all members
                have the same classes.
        """
        family = TOGETHER.join(member.family for member in members)
        together = Joined(members, parts) if parts else Mean(members)
        super().__init__({_MEAN: together}, family=family)
        self.parts = tuple(tuple(part) for part in parts)


def members_of(network: StagedNetwork) -> tuple[StagedNetwork, ...]:
    """List the networks of an ensemble; of any other network, itself."""
    if not isinstance(network, Ensemble):
        return (network,)
    mean = network.get_submodule(_MEAN)
    return tuple(member for member in mean.children() if isinstance(member, StagedNetwork))


def parts_of(network: StagedNetwork) -> tuple[tuple[int, ...], ...]:
    """List the numbers of the classes of each member; none where all have the same."""
    return network.parts if isinstance(network, Ensemble) else ()


def state_names(number: int) -> str:
    """Give what stands before the names of the tensors of a member, counted from 0."""
    return f"{_MEAN}.{number}."


def names_of(network: str) -> tuple[str, ...]:
    """Name the members of an ensemble, from its name; of any other network, itself.

    >>> names_of("resnet20&pkg.nets:small(x='a&b')"), names_of("resnet20")
    (('resnet20', "pkg.nets:small(x='a&b')"), ('resnet20',))
    """
    found = split_names(network, TOGETHER)
    return (network,) if found is None else (found[0], *names_of(found[1]))
