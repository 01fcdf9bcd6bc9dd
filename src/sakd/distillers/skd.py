"""Structured knowledge distillation."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import max_pool2d

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair, mean_over_batch
from sakd.distillers.parts.maps import pool_to_smaller, sample_means, squared
from sakd.foundation.errors import require
from sakd.networks.spots import SpotFamily

EPSILON = 1e-8
"""Added to the lengths of vectors, as in the authors' code."""


class StructuredKD(Distiller):
    """Match the similarities between the regions of an image.

    Liu et al., CVPR 2019, arXiv:1903.04197, the pair-wise distillation.
    Loss: mean_b sum over pairs of P regions (<s_m, s_n> - <t_m, t_n>)^2 / P^2, the vectors s and t
    of a region divided by their lengths. A region is a patch of the last map, of which each channel
    shows its largest value; in the authors' code a patch has half the map's height and width. The
    lengths have no gradient, as there. Its weight is 0.5.
    Differs from the paper, which is about segmentation: the last map, maps of unequal size averaged
    to the smaller; KD for its pixel-wise distillation; no discriminator.
    """

    family = SpotFamily.LAST_MAP
    weight = 0.5
    weighs = True

    def __init__(self, pair: Pair, *, patch: float = 0.5) -> None:
        """Set the size of regions.

        Args:
            pair: The networks and the data.
            patch: Side of a region over that of the map; a position at least.

        Raises:
            UserError: ``patch`` is not above 0 and at most 1.
        """
        super().__init__(pair)
        require(0 < patch <= 1, f"patch must be above 0 and at most 1, got {patch}")
        self.patch = patch

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are maps (B, C, H, W) of any channels and sizes."""
        ours, theirs = (self.similarities(x) for x in pool_to_smaller(student, teacher))
        return mean_over_batch(sample_means(squared(ours - theirs)), chosen)

    def similarities(self, maps: Tensor) -> Tensor:
        """Compute the similarities (B, P, P) of the regions of maps (B, C, H, W)."""
        height, width = (max(1, int(side * self.patch)) for side in maps.shape[2:])
        regions = max_pool2d(maps, (height, width), ceil_mode=True).flatten(2)
        lengths = regions.detach().square().sum(dim=1, keepdim=True).sqrt()
        directions = regions / (lengths + EPSILON)
        return directions.mT @ directions
