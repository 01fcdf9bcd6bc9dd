"""Batches in which images come together with others of their classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sakd.foundation.errors import require
from sakd.foundation.randomness import generator


@dataclass(frozen=True)
class Groups:
    """A plan of batches: anchors, each with companions of its class.

    As in the code of BAKE's authors (arXiv:2104.13298), where each image is an anchor once in an
    epoch, which then has ``companions`` + 1 times the steps. Here an epoch has as many steps and
    images as any other, so that trainings of equal epochs cost the same: the anchors of an epoch
    go on from those of the one before it, and each image is an anchor once in ``companions`` + 1
    epochs.

    Attributes:
        companions: M, the images that come with each anchor: different ones, as far as its class
            has so many others; a class of one image has that image again.

    Raises:
        UserError: ``companions`` is below 1.
    """

    companions: int

    def __post_init__(self) -> None:
        """Check the number."""
        require(self.companions >= 1, f"companions must be 1 or more, got {self.companions}")

    def order(self, labels: Tensor, seed: int, epoch: int, sizes: Sequence[int]) -> Tensor:
        """Draw the images of an epoch, as a pure function of the arguments.

        Args:
            labels: (N,) int64, on the CPU.
            seed: The seed of the stream.
            epoch: Its number, counted from 0.
            sizes: B of each batch. The anchors come first in it, B / (M + 1) of them, rounded up.

        Returns:
            Positions (sum of ``sizes``,) int64 in ``labels``.
        """
        counts = [-(-size // (self.companions + 1)) for size in sizes]
        first = sum(counts) * epoch
        anchors = self._anchors(len(labels), seed, first, first + sum(counts))
        draws = generator(seed, epoch, "companions")
        members = _members(labels)
        batches: list[Tensor] = []
        for own, size in zip(torch.split(anchors, counts), sizes, strict=True):
            batches += [own, _companions(own, size - len(own), labels, members, draws)]
        return torch.cat(batches)

    def _anchors(self, count: int, seed: int, first: int, end: int) -> Tensor:
        """Take places ``first`` to ``end`` of an endless row of orders of ``count`` images."""
        rounds = range(first // count, -(-end // count))
        orders = [
            torch.randperm(count, generator=generator(seed, number, "anchors")) for number in rounds
        ]
        start = rounds.start * count
        return torch.cat(orders)[first - start : end - start]


def _members(labels: Tensor) -> Sequence[Tensor]:
    """Give the positions of the images of each class, in order of the classes."""
    counts: list[int] = torch.bincount(labels).tolist()
    return torch.split(labels.argsort(stable=True), counts)


def _companions(
    anchors: Tensor,
    count: int,
    labels: Tensor,
    members: Sequence[Tensor],
    draws: torch.Generator,
) -> Tensor:
    """Draw ``count`` images (count,) int64 for ``anchors``, round by round."""
    most = -(-count // len(anchors))
    rows = [
        _others(int(anchor), members[int(label)], most, draws)
        for anchor, label in zip(anchors, labels[anchors], strict=True)
    ]
    return torch.stack(rows, dim=1).flatten()[:count]


def _others(anchor: int, members: Tensor, count: int, draws: torch.Generator) -> Tensor:
    others = members[members != anchor] if len(members) > 1 else members
    rounds = max(1, -(-count // len(others)))
    drawn = [torch.randperm(len(others), generator=draws) for _ in range(rounds)]
    return others[torch.cat(drawn)[:count]]
