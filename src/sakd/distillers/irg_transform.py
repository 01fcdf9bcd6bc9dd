"""The transformations of an instance relationship graph."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair, Shape
from sakd.distillers.parts.shares import shares_of_largest
from sakd.foundation.errors import require
from sakd.networks.spots import SpotFamily


class InstanceTransformations(Distiller):
    """Match how far each sample moves between neighbouring maps, as a share of the farthest.

    Liu et al., CVPR 2019, "Knowledge Distillation via Instance Relationship Graph", the changes of
    the graph from one place of a network to the next. The loss of a sample depends on the others.
    Loss over n samples chosen at both maps: sum_n (D_s - D_t)^2 / 2 for each two neighbours of
    equally many channels, D the squared distance between their means over the positions, over the
    largest, which is taken for a constant. `sakd.distillers.irg` has the edges of the graph; both
    are irg-irg_transform.
    Differs from the authors' code, which takes the first and the last block of every stage: here
    neighbours are the stem and the stages. Stages of networks from outside may be blocks.
    """

    family = SpotFamily.EVERY_MAP
    weight = 0.005

    def __init__(self, pair: Pair) -> None:
        """Find the neighbours that can be subtracted.

        Args:
            pair: The networks and the data.

        Raises:
            UserError: There are none.
        """
        super().__init__(pair)
        alike = zip(_alike(pair.student_shapes), _alike(pair.teacher_shapes), strict=True)
        self.neighbours = tuple(k for k, both in enumerate(alike) if all(both))
        widths = [[shape[0] for shape in x] for x in (pair.student_shapes, pair.teacher_shapes)]
        require(
            bool(self.neighbours),
            f"{type(self).__name__} subtracts neighbouring maps, but no two have equally many "
            f"channels in both networks: the student has {widths[0]}, the teacher {widths[1]}; "
            "name blocks of networks from outside as their stages, see docs/networks.md",
        )

    def losses(
        self, students: Sequence[Tensor], teachers: Sequence[Tensor], batch: Batch, chosen: Tensor
    ) -> Tensor:
        """Sum over neighbours, see `Distiller.losses`; features are maps (B, C, H, W)."""
        ours, theirs = ([maps.mean(dim=(2, 3)) for maps in x] for x in (students, teachers))
        total = chosen.new_zeros((), dtype=torch.float)
        for k in self.neighbours:
            both = chosen[:, k] & chosen[:, k + 1]
            error = moves(ours[k], ours[k + 1], both) - moves(theirs[k], theirs[k + 1], both)
            total = total + both.sum() * error.square().sum() / (2 * len(both))
        return total

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; a single spot has no neighbour, and its loss is 0."""
        return student.new_zeros(())


def moves(first: Tensor, last: Tensor, chosen: Tensor) -> Tensor:
    """Compute D (B,) of the chosen from ``first`` to ``last``, both (B, C); others have 0."""
    return shares_of_largest((last - first).square().sum(dim=1) * chosen)


def _alike(shapes: Sequence[Shape]) -> list[bool]:
    """Tell of each two neighbours whether they have equally many channels."""
    return [first[0] == last[0] for first, last in pairwise(shapes)]
