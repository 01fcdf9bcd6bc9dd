"""Networks whose last stages are there several times, on a trunk that they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from sakd.foundation.errors import require
from sakd.networks.chain import Chain
from sakd.networks.staged import StagedNetwork

CHANNELS = 1
"""The axis of channels, of maps (B, C, H, W) and of vectors (B, C)."""


class Fan(nn.ModuleList):
    """The same input for all modules; their outputs stand next to each other."""

    def forward(self, x: Tensor) -> Tensor:
        """Map ``x`` (B, C, ...) to (B, branches * C', ...)."""
        return torch.cat([module(x) for module in self], dim=CHANNELS)


class Lanes(nn.ModuleList):
    """A part of the input for each module; their outputs stand next to each other."""

    def forward(self, x: Tensor) -> Tensor:
        """Map ``x`` (B, branches * C, ...) to (B, branches * C', ...)."""
        return torch.cat(self.each(x), dim=CHANNELS)

    def each(self, x: Tensor) -> list[Tensor]:
        """Give the outputs apart."""
        parts = x.chunk(len(self), dim=CHANNELS)
        return [module(part) for module, part in zip(self, parts, strict=True)]


class Mean(Lanes):
    """The mean of the outputs of such modules."""

    def forward(self, x: Tensor) -> Tensor:
        """Map ``x`` (B, branches * C) to (B, K)."""
        return torch.stack(self.each(x)).mean(dim=0)


SEVERAL = Fan, Lanes, Mean
"""How the stages run that are there several times: of the last map, embedding and head."""


class WithBranches(Chain):
    """A network with branches: the stage of the last map, and those after it, several times.

    Its stages have the names of the plain network. The features of all branches stand next to each
    other in the channels, and its logits are the mean of theirs.

    Attributes:
        cut: The number of the first stage that is there several times.
    """

    def __init__(self, networks: Sequence[StagedNetwork]) -> None:
        """Take the trunk of the first of ``networks``, and the last stages of each.

        Args:
            networks: Networks of one kind, two or more, whose last features have their channels
                on the second axis.

        Raises:
            UserError: They have no stage that branches could share.
        """
        first = networks[0]
        cut = len(first.stage_names) - len(SEVERAL)
        names = ", ".join(first.stage_names)
        require(cut >= 1, f"a network of the stages {names} has none that branches could share")
        last = zip(*(list(one.stage_modules().values())[cut:] for one in networks), strict=True)
        several = (kind(each) for kind, each in zip(SEVERAL, last, strict=True))
        trunk = list(first.stage_modules().values())[:cut]
        stages = dict(zip(first.stage_names, (*trunk, *several), strict=True))
        super().__init__(stages, family=first.family)
        self.cut = cut

    def branches(self) -> list[StagedNetwork]:
        """Give each branch as a network that shares its weights.

        It maps feature ``cut - 1`` of this network to logits (B, K).
        """
        last = {name: self.get_submodule(name) for name in self.stage_names[self.cut :]}
        each = zip(*(cast("nn.ModuleList", stage) for stage in last.values()), strict=True)
        stages = (dict(zip(last, modules, strict=True)) for modules in each)
        return [Chain(one, family=self.family) for one in stages]


def with_branches(
    build: Callable[..., StagedNetwork], num_classes: int, in_channels: int = 3, *, branches: int
) -> StagedNetwork:
    """Build a network with so many ``branches``, of those that ``build`` makes."""
    each = [build(num_classes=num_classes, in_channels=in_channels) for _ in range(branches)]
    return WithBranches(each)
