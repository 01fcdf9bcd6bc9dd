"""Flow of solution procedure."""

from __future__ import annotations

from torch import Tensor

from sakd.distillers.parts.maps import pool_to_smaller
from sakd.distillers.parts.neighbours import Both, Couples


class SolutionFlow(Couples):
    """Match how every channel of a stage goes with every channel of the next one.

    Yim et al., CVPR 2017, "A Gift from Knowledge Distillation".
    Loss, summed over neighbouring stages: mean_b || G_s - G_t ||_F^2 / (C_1 C_2),
    G = F_1 F_2' / HW with maps as rows, the larger averaged to the size of the smaller.
    Differs from the paper: the student learns this together with its task, not before it; the
    weight is that of the scripts of RepDistiller (Tian et al., ICLR 2020).
    """

    weight = 50.0

    def error(self, first: Both, second: Both) -> Tensor:
        """See `Couples.error`; features are maps, of equal channels."""
        (student, teacher), (next_student, next_teacher) = first, second
        difference = flow(student, next_student) - flow(teacher, next_teacher)
        return difference.square().mean(dim=(1, 2))


def flow(first: Tensor, second: Tensor) -> Tensor:
    """The matrix G above (B, C_1, C_2)."""
    first, second = (maps.flatten(2) for maps in pool_to_smaller(first, second))
    return first @ second.transpose(1, 2) / first.shape[2]
