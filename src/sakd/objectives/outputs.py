"""The outputs of a forward pass, in the form that each distiller compares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_
from typing import NamedTuple

import torch
from torch import Tensor

from sakd.distillers import Distiller, Side
from sakd.networks import StagedNetwork


class Outputs(NamedTuple):
    """Features and logits of a batch; a `Spot` indexes these tuples.

    Attributes:
        closed: The outputs of the stages as the next stage takes them, in order of depth, each
            (B, ...); the last are the logits (B, K).
        unrectified: The same before rectifiers, see `StagedNetwork.extract_unrectified`;
            ``closed`` where they were not asked for.
        side: The network that they are of.
    """

    closed: Sequence[Tensor]
    unrectified: Sequence[Tensor]
    side: Side

    @classmethod
    def of(
        cls, network: StagedNetwork, images: Tensor, side: Side, *, unrectified: bool
    ) -> Outputs:
        """Run ``images`` (B, C, H, W) through ``network``; give the outputs in full precision."""
        if not unrectified:
            closed = full_precision(network.extract(images).outputs)
            return cls(closed, closed, side)
        both = network.extract_unrectified(images)
        closed, before = (full_precision(features.outputs) for features in both)
        return cls(closed, before, side)

    @property
    def features(self) -> Sequence[Tensor]:
        """The features without the logits."""
        return self.closed[:-1]

    @property
    def logits(self) -> Tensor:
        """The logits (B, K)."""
        return self.closed[-1]

    def shown_to(self, distiller: Distiller) -> list[Tensor]:
        """Give the outputs that ``distiller`` compares, one per spot."""
        shown = self.unrectified if self.side in distiller.unrectified else self.closed
        ours = self.side is Side.STUDENT
        return [shown[s.student if ours else s.teacher] for s in distiller.pair.spots]


def wanted_unrectified(distillers: Iterable[Distiller]) -> Side:
    """Give the sides of which a distiller compares features before rectifiers."""
    sides = (distiller.unrectified for distiller in distillers)
    return reduce(or_, sides, Side.NEITHER)


def arithmetic_of(device: torch.device) -> torch.autocast:
    """Give a context that brings the present automatic casts on ``device`` back, or their lack."""
    kind = torch.get_autocast_dtype(device.type)
    enabled = torch.is_autocast_enabled(device.type)
    # Without a cache: it may hold weights that were cast where gradients were off.
    return torch.autocast(device.type, kind, enabled=enabled, cache_enabled=False)


def full_precision(outputs: Iterable[Tensor]) -> tuple[Tensor, ...]:
    """Give the tensors; those of half precision are converted to float32."""
    halves = (torch.float16, torch.bfloat16)
    return tuple(x.float() if x.dtype in halves else x for x in outputs)
