"""Local correlation consistency."""

from __future__ import annotations

from torch import Tensor

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair
from sakd.distillers.parts.maps import pooled, squared, units
from sakd.foundation.errors import require, require_not_negative
from sakd.networks.spots import SpotFamily


class LocalCorrelation(Distiller):
    """Match the correlations between patches of the last maps, within and across images.

    Li et al., ECCV 2020, "Local Correlation Consistency for Knowledge Distillation", as described
    by others, not checked against the authors' code or the paper. The loss of a sample depends on
    the others.
    Loss over n chosen samples, whose maps are cut into P patches each: within mean (r_s - r_t)^2
    over pairs of patches of one image + aligned (the same over pairs at one place, of all pairs of
    images) + across (the same over all pairs of patches, of all images), r the cosine of two
    patches. Where a side of a map is smaller than the grid, the grid is as fine as the map; where
    it is no multiple of the grid, it is averaged to one.
    The weights are unknown; 1 is not tuned.
    Differs from the paper: no learnt masks that leave out patches of little use for the classes.
    """

    family = SpotFamily.LAST_MAP

    def __init__(
        self,
        pair: Pair,
        *,
        grid: int = 4,
        within: float = 1.0,
        aligned: float = 1.0,
        across: float = 1.0,
    ) -> None:
        """Set the grid and the weights.

        Args:
            pair: The networks and the data.
            grid: Rows and columns of patches.
            within: Weight of pairs within an image.
            aligned: Weight of pairs at one place of two images.
            across: Weight of all pairs.

        Raises:
            UserError: A weight is negative, or the grid below 1.
        """
        super().__init__(pair)
        require(grid >= 1, f"grid must be 1 or more, got {grid}")
        require_not_negative(within=within, aligned=aligned, across=across)
        sides = zip(pair.student_shapes[0][1:], pair.teacher_shapes[0][1:], strict=True)
        self.rows, self.columns = (min(grid, *lengths) for lengths in sides)
        self.within = within
        self.aligned = aligned
        self.across = across

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are maps (B, C, H, W) of any channels and sizes."""
        ours, theirs = (self.correlations(maps, chosen) for maps in (student, teacher))
        error, places = squared(ours - theirs), self.rows * self.columns
        count = chosen.sum().clamp(min=1)
        within = error.diagonal(dim1=0, dim2=2).sum() * count / places**2
        aligned = error.diagonal(dim1=1, dim2=3).sum() / places
        across = error.sum() / places**2
        total = self.within * within + self.aligned * aligned + self.across * across
        return total / (count * chosen.numel())

    def correlations(self, maps: Tensor, chosen: Tensor) -> Tensor:
        """Compute the cosines (B, P, B, P) of all patches of maps (B, C, H, W), 0 if not chosen."""
        patches = units(cut(maps, self.rows, self.columns))
        flat = (patches * chosen[:, None, None].to(maps.dtype)).flatten(0, 1)
        size = patches.shape[:2]
        return (flat @ flat.T).view(*size, *size)


def cut(maps: Tensor, rows: int, columns: int) -> Tensor:
    """Cut maps (B, C, H, W) into patches (B, rows * columns, D), row by row."""
    batch, channels, *sides = maps.shape
    height, width = sides[0] // rows, sides[1] // columns
    fitted = pooled(maps, rows * height, columns * width)
    grid = fitted.reshape(batch, channels, rows, height, columns, width)
    return grid.permute(0, 2, 4, 1, 3, 5).reshape(batch, rows * columns, -1)
