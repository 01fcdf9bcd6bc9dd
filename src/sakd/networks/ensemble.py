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


class Mean(nn.ModuleList):
    """The mean of the probabilities that several classifiers give, as logits."""

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) to logits (B, K): the logarithms of the mean probabilities."""
        given = torch.stack([network(images).log_softmax(dim=1) for network in self])
        return given.logsumexp(dim=0) - math.log(len(self))


class Ensemble(Chain):
    """Networks of the same classes whose probabilities are averaged; it has no features.

    Its name is that of its members, joined: ``resnet20&vgg8``.
    """

    def __init__(self, members: Sequence[StagedNetwork]) -> None:
        """Let ``members`` answer together."""
        family = TOGETHER.join(member.family for member in members)
        super().__init__({_MEAN: Mean(members)}, family=family)


def members_of(network: StagedNetwork) -> tuple[StagedNetwork, ...]:
    """List the networks of an ensemble; of any other network, itself."""
    if not isinstance(network, Ensemble):
        return (network,)
    mean = network.get_submodule(_MEAN)
    return tuple(member for member in mean.children() if isinstance(member, StagedNetwork))


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
