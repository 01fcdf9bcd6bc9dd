"""One forward pass, in the form that each distiller compares."""

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
    """Features and logits of a batch; the numbers of a `Spot` index these tuples.

    Attributes:
        closed: As the stages give them and the next stage takes them, in order of depth.
        unrectified: Before rectifiers, see `StagedNetwork.extract_unrectified`; ``closed`` where
            nobody asked.
        side: Whose they are.
    """

    closed: tuple[Tensor, ...]
    unrectified: tuple[Tensor, ...]
    side: Side

    @classmethod
    def of(
        cls, network: StagedNetwork, images: Tensor, side: Side, *, unrectified: bool
    ) -> Outputs:
        """Run ``images`` (B, C, H, W) through ``network``; the outputs are in full precision."""
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
        """The outputs that ``distiller`` compares."""
        return self.unrectified if self.side in distiller.unrectified else self.closed


class Request(NamedTuple):
    """What an objective needs of a frozen teacher; equal needs are computed once.

    Attributes:
        teacher: In evaluation mode; asked without gradient.
        unrectified: Whether features before rectifiers are needed too.
    """

    teacher: StagedNetwork
    unrectified: bool

    @torch.no_grad()
    def outputs(self, images: Tensor) -> Outputs:
        """Ask for the outputs of ``images`` (B, C, H, W)."""
        return Outputs.of(self.teacher, images, Side.TEACHER, unrectified=self.unrectified)


def wanted_unrectified(distillers: Iterable[Distiller]) -> Side:
    """The sides whose features before rectifiers one of ``distillers`` compares."""
    sides = (distiller.unrectified for distiller in distillers)
    return reduce(or_, sides, Side.NEITHER)


def full_precision(outputs: Iterable[Tensor]) -> tuple[Tensor, ...]:
    """The tensors, those of half precision as float32."""
    halves = (torch.float16, torch.bfloat16)
    return tuple(x.float() if x.dtype in halves else x for x in outputs)


def answer(requests: Sequence[Request | None], images: Tensor) -> list[Outputs | None]:
    """Answer ``requests`` for ``images`` (B, C, H, W), asking every teacher once.

    Returns:
        The outputs for each request, None where there is none.
    """
    wanted: dict[int, Request] = {}
    for request in filter(None, requests):
        same = wanted.get(id(request.teacher), request)
        needed = same.unrectified or request.unrectified
        wanted[id(request.teacher)] = request._replace(unrectified=needed)
    given = {key: request.outputs(images) for key, request in wanted.items()}
    return [None if request is None else given[id(request.teacher)] for request in requests]
