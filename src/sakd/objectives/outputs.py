"""The outputs of a forward pass, in the form that each distiller compares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from operator import or_
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from sakd.distillers import Distiller, Sensitivity, Side
from sakd.networks import StagedNetwork
from sakd.networks.staged import Features

Sense = Callable[[Features], Mapping[Sensitivity, Tensor]]


class Outputs(NamedTuple):
    """Features and logits of a batch; a `Spot` indexes these tuples.

    Attributes:
        closed: The outputs of the stages as the next stage takes them, in order of depth, each
            (B, ...); the last are the logits (B, K).
        unrectified: The same before rectifiers, see `StagedNetwork.extract_unrectified`;
            ``closed`` where they were not asked for.
        side: The network that they are of.
        sensitivities: The gradients that were asked for, each (B, ...).
    """

    closed: Sequence[Tensor]
    unrectified: Sequence[Tensor]
    side: Side
    sensitivities: Mapping[Sensitivity, Tensor] = MappingProxyType({})

    @classmethod
    def of(
        cls,
        network: StagedNetwork,
        images: Tensor,
        side: Side,
        *,
        unrectified: bool,
        sense: Sense = lambda _: MappingProxyType({}),
    ) -> Outputs:
        """Run ``network`` for its outputs in full precision.

        Args:
            network: The network.
            images: (B, C, H, W).
            side: The side that ``network`` is on.
            unrectified: Whether the outputs before rectifiers are wanted too.
            sense: Takes the gradients that are wanted of the features as they were computed.
        """
        if not unrectified:
            found = network.extract(images)
            closed = full_precision(found.outputs)
            return cls(closed, closed, side, sense(found))
        both = network.extract_unrectified(images)
        closed, before = (full_precision(features.outputs) for features in both)
        return cls(closed, before, side, sense(both[0]))

    @property
    def features(self) -> Sequence[Tensor]:
        """The features without the logits."""
        return self.closed[:-1]

    @property
    def logits(self) -> Tensor:
        """The logits (B, K)."""
        return self.closed[-1]

    def shown_to(self, distiller: Distiller) -> list[Tensor]:
        """Give what ``distiller`` compares, one tensor per spot."""
        if distiller.sensitivity is not None:
            return [self.sensitivities[distiller.sensitivity]] * len(distiller.pair.spots)
        shown = self.unrectified if self.side in distiller.unrectified else self.closed
        ours = self.side is Side.STUDENT
        return [shown[s.student if ours else s.teacher] for s in distiller.pair.spots]


def wanted_unrectified(distillers: Iterable[Distiller]) -> Side:
    """Give the sides of which a distiller compares features before rectifiers."""
    sides = (distiller.unrectified for distiller in distillers)
    return reduce(or_, sides, Side.NEITHER)


def full_precision(outputs: Iterable[Tensor]) -> tuple[Tensor, ...]:
    """Give the tensors; those of half precision are converted to float32."""
    halves = (torch.float16, torch.bfloat16)
    return tuple(_Widened.apply(x) if x.dtype in halves else x for x in outputs)


class _Widened(torch.autograd.Function):
    """Conversion to float32, whose gradient is laid out as the tensor is.

    Losses give gradients of maps in another layout; each sum with that of the network, and each
    convolution behind it, would convert them again.
    """

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.float()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:  # noqa: ANN401, ARG004
        (x,) = inputs
        last = x.dim() == len("BCHW") and x.is_contiguous(memory_format=torch.channels_last)
        ctx.layout = torch.channels_last if last else torch.preserve_format
        ctx.kind = x.dtype

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ANN401
        (gradient,) = gradients
        return gradient.to(ctx.kind, memory_format=ctx.layout)
