"""Flow of solution procedure."""

from __future__ import annotations

from torch import Tensor

from sakd.distillers.parts.maps import pool_to_smaller, sample_means, sample_sums, squared
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
        student, teacher = (matrices(*maps) for maps in zip(first, second, strict=True))
        (c_1, p_s), c_2, p_t = student[0].shape[1:], student[1].shape[1], teacher[0].shape[2]
        if (p_s * p_s + p_s * p_t + p_t * p_t) * (c_1 + c_2) < (p_s + p_t) * c_1 * c_2:
            own = agreement(student, student) + agreement(teacher, teacher)
            return (own - 2 * agreement(student, teacher)) / (c_1 * c_2)
        return sample_means(squared(flow(student) - flow(teacher)))


def matrices(first: Tensor, second: Tensor) -> Both:
    """Lay out two maps (B, C, H, W) as F_1 and F_2 (B, C, HW), the larger averaged."""
    first, second = (maps.flatten(2) for maps in pool_to_smaller(first, second))
    return first, second


def flow(maps: Both) -> Tensor:
    """Compute the matrix G (B, C_1, C_2) of one network."""
    return maps[0] @ maps[1].mT / maps[0].shape[2]


def agreement(one: Both, other: Both) -> Tensor:
    """Compute the inner product (B,) of two matrices G from products of positions.

    No matrix of all pairs of channels is formed, which is large where the positions are few.
    """
    sums = sample_sums((one[0].mT @ other[0]) * (one[1].mT @ other[1]))
    return sums / (one[0].shape[2] * other[0].shape[2])
