"""FitNet: hint-based training."""

from __future__ import annotations

from torch import Tensor

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair, mean_over_batch
from sakd.distillers.parts.maps import sample_means, squared
from sakd.networks.adapters import adapter
from sakd.networks.spots import SpotFamily


class FitNet(Distiller):
    """Regress the teacher's middle feature map from the student's.

    Romero et al., ICLR 2015, arXiv:1412.6550.
    Loss: mean_b || r(F_s) - F_t ||^2 / (C H W), r a convolution, batch norm and rectifier, or a
    linear layer for tokens and vectors, see `sakd.networks.adapters`. The batch norm sees the full
    batch, whoever is chosen.
    Differs from the paper: the whole network is trained at once, as in the SAKD reference.
    """

    family = SpotFamily.HINT
    weighs = True
    any_shape = True

    def __init__(self, pair: Pair) -> None:
        """Make the regressor from the student's to the teacher's shape.

        Args:
            pair: The networks and the data.
        """
        super().__init__(pair)
        self.regressor = adapter(pair.student_shapes[0], pair.teacher_shapes[0])

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are maps (B, C, H, W), tokens (B, N, C) or (B, C)."""
        error = sample_means(squared(self.regressor(student) - teacher))
        return mean_over_batch(error, chosen)
