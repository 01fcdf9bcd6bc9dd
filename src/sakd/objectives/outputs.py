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

    closed: tuple[Tensor, ...]
    unrectified: tuple[Tensor, ...]
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
    def features(self) -> tuple[Tensor, ...]:
        """The features without the logits."""
        return self.closed[:-1]

    @property
    def logits(self) -> Tensor:
        """The logits (B, K)."""
        return self.closed[-1]

    def shown_to(self, distiller: Distiller) -> tuple[Tensor, ...]:
        """Give the outputs that ``distiller`` compares."""
        return self.unrectified if self.side in distiller.unrectified else self.closed


class Request(NamedTuple):
    """The outputs of a frozen teacher that an objective needs; computed once for all that ask.

    Attributes:
        teacher: The teacher, in evaluation mode; it runs without gradient.
        unrectified: Whether features before rectifiers are needed too.
    """

    teacher: StagedNetwork
    unrectified: bool

    @torch.no_grad()
    def outputs(self, images: Tensor) -> Outputs:
        """Run the teacher on ``images`` (B, C, H, W)."""
        return Outputs.of(self.teacher, images, Side.TEACHER, unrectified=self.unrectified)


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


def answer(requests: Sequence[Request | None], images: Tensor) -> list[Outputs | None]:
    """Answer ``requests`` for ``images`` (B, C, H, W) by one forward pass per teacher.

    Returns:
        The outputs for each request; None for None.
    """
    wanted: dict[int, Request] = {}
    for request in filter(None, requests):
        same = wanted.get(id(request.teacher), request)
        needed = same.unrectified or request.unrectified
        wanted[id(request.teacher)] = request._replace(unrectified=needed)
    given = {key: request.outputs(images) for key, request in wanted.items()}
    return [None if request is None else given[id(request.teacher)] for request in requests]
