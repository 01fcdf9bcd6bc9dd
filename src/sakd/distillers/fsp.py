"""Flow of solution procedure."""

from __future__ import annotations

from torch import Tensor

from sakd.distillers.parts.maps import pool_to_smaller
from sakd.distillers.parts.neighbours import Both, Couples
from sakd.networks.spots import SpotFamily


class SolutionFlow(Couples):
    """Match the inner products between the channels of one stage and those of the next.

    Yim et al., CVPR 2017, "A Gift from Knowledge Distillation".
    Loss, summed over neighbours among the stem and all stages: mean_b || G_s - G_t ||_F^2 /
    (C_1 C_2), G = F_1 F_2' / HW with maps as rows, the larger averaged to the size of the smaller.
    The stem counts, as in the code of RepDistiller (Tian et al., ICLR 2020).
    Differs from the paper: the student learns this together with its task, not before it.
    There is no published weight for that: the 50 in the scripts of RepDistiller multiplies a
    zero, as that code also minimises this loss alone and beforehand. It is kept as the default.
    """

    family = SpotFamily.EVERY_MAP
    weight = 50.0

    def error(self, first: Both, second: Both) -> Tensor:
        """See `Couples.error`; features are maps (B, C, H, W)."""
        (student, teacher), (next_student, next_teacher) = first, second
        difference = flow(student, next_student) - flow(teacher, next_teacher)
        return difference.square().mean(dim=(1, 2))


def flow(first: Tensor, second: Tensor) -> Tensor:
    """Compute the matrix G (B, C_1, C_2) of maps (B, C_1, H_1, W_1) and (B, C_2, H_2, W_2)."""
    first, second = (maps.flatten(2) for maps in pool_to_smaller(first, second))
    return first @ second.transpose(1, 2) / first.shape[2]
