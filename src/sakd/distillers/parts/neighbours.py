"""Shared base of the distillers that compare consecutive spots."""

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
"""Student's and teacher's features of one spot, or a description of each."""


class Couples(Distiller):
    """A loss between the changes of both networks' features from one spot to the next.

    A sample counts for two consecutive spots if it is chosen at both, or by the smaller of its
    shares there. The SAKD reference cannot route such distillers, as it gathers a different number
    of samples at every spot.
    """

    family = SpotFamily.EVERY_STAGE
    weighs = True
    equal_channels = True

    def __init__(self, pair: Pair) -> None:
        """Prepare for ``pair``.

        Args:
            pair: The networks and the data.

        Raises:
            UserError: There is one spot, or the channels of the networks differ at a spot.
        """
        super().__init__(pair)
        enough = len(pair.spots) > 1
        name = type(self).__name__
        require(enough, f"{name} relates neighbouring stages; both networks must have two or more")

    def losses(
        self, students: Sequence[Tensor], teachers: Sequence[Tensor], batch: Batch, chosen: Tensor
    ) -> Tensor:
        """Sum `error` over consecutive spots, see `Distiller.losses`."""
        nothing = chosen.new_zeros((), dtype=torch.float)
        spots = [self.describe(s, t) for s, t in zip(students, teachers, strict=True)]
        errors = [self.error(first, second) for first, second in pairwise(spots)]
        at_both = chosen[:, :-1].minimum(chosen[:, 1:])
        pairs = zip(errors, at_both.unbind(dim=1), strict=True)
        return sum((mean_over_batch(error, column) for error, column in pairs), nothing)

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; a single spot has no neighbour, and its loss is 0."""
        return self.losses([student], [teacher], batch, chosen[:, None])

    def describe(self, student: Tensor, teacher: Tensor) -> Both:
        """Describe one spot's features (B, ...); computed once, used with both neighbours."""
        return student, teacher

    @abstractmethod
    def error(self, first: Both, second: Both) -> Tensor:
        """Compute the error (B,) between the networks' changes from one spot to the next."""
