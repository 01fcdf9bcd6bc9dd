"""What a network gives in one forward pass, as each distiller wants to see it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from torch import Tensor

from sakd.distillers import Distiller, Side
from sakd.networks import StagedNetwork


class Outputs(NamedTuple):
    """Features and logits of a batch, in the order that the numbers of a spot count.

    Attributes:
        closed: as the stages give them, and as the next stage takes them.
        unrectified: before rectifiers, see `StagedNetwork.extract_unrectified`; ``closed`` where
            nobody asked.
        side: whose they are.
    """

    closed: tuple[Tensor, ...]
    unrectified: tuple[Tensor, ...]
    side: Side

    @classmethod
    def of(
        cls, network: StagedNetwork, images: Tensor, side: Side, distillers: Iterable[Distiller]
    ) -> Outputs:
        """Run ``images`` (B, C, H, W) through ``network``, for what ``distillers`` want to see."""
        if any(side in distiller.unrectified for distiller in distillers):
            closed, unrectified = network.extract_unrectified(images)
            return cls(closed.outputs, unrectified.outputs, side)
        outputs = network.extract(images).outputs
        return cls(outputs, outputs, side)

    @property
    def embedding(self) -> Tensor:
        """The feature before the head (B, C)."""
        return self.closed[-2]

    @property
    def logits(self) -> Tensor:
        """The logits (B, K)."""
        return self.closed[-1]

    def shown_to(self, distiller: Distiller) -> tuple[Tensor, ...]:
        """The outputs that ``distiller`` compares."""
        return self.unrectified if self.side in distiller.unrectified else self.closed
