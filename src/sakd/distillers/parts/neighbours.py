"""What distillers share that relate neighbouring spots."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair, mean_over_batch
from sakd.foundation.errors import require
from sakd.networks.spots import SpotFamily

Both = tuple[Tensor, Tensor]
"""A student's and a teacher's features of one spot, or what was made of them."""


class Couples(Distiller):
    """Matches how a network's features change from one spot to the next.

    A couple of spots counts a sample only where it is chosen at both. (The SAKD reference cannot
    run this routed: it gathers another number of samples at every spot.)
    """

    family = SpotFamily.EVERY_STAGE
    equal_channels = True

    def __init__(self, pair: Pair) -> None:
        """Relate the spots of ``pair``, of which there must be two."""
        super().__init__(pair)
        enough = len(pair.spots) > 1
        name = type(self).__name__
        require(enough, f"{name} relates neighbouring stages; both networks must have two or more")

    def losses(
        self, students: Sequence[Tensor], teachers: Sequence[Tensor], batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.losses`: the sum over couples of (n / B) times their mean error."""
        nothing = chosen.new_zeros((), dtype=torch.float)
        spots = [self.describe(s, t) for s, t in zip(students, teachers, strict=True)]
        errors = [self.error(first, second) for first, second in pairwise(spots)]
        at_both = chosen[:, :-1] & chosen[:, 1:]
        pairs = zip(errors, at_both.unbind(dim=1), strict=True)
        return sum((mean_over_batch(error, column) for error, column in pairs), nothing)

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; a spot alone has no neighbour: the empty sum."""
        return self.losses([student], [teacher], batch, chosen[:, None])

    def describe(self, student: Tensor, teacher: Tensor) -> Both:
        """What is related of a spot's features; made once for both of its couples."""
        return student, teacher

    @abstractmethod
    def error(self, first: Both, second: Both) -> Tensor:
        """(B,) how differently student and teacher go from the first to the second spot."""
