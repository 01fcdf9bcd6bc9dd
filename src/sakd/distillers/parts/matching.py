"""Groups of a teacher's channels, one for each channel of the student."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sakd.distillers.parts.maps import units
from sakd.foundation.extras import from_extra, require_extra


class Groups(nn.Module):
    """Assigns to each channel of the student as many of the teacher's as there are for all.

    Where the teacher has fewer channels than the student, each of them is assigned to one of the
    student's, and the others get none. Until `match` they are assigned in order.

    Attributes:
        ours: (P,) int64, the student's channels that have a group.
        theirs: (P, G) int64, the teacher's channels in the group of each.
    """

    ours: Tensor
    theirs: Tensor

    def __init__(self, student: int, teacher: int, *, sparse: bool) -> None:
        """Assign channels in order.

        Args:
            student: The number of the student's channels.
            teacher: The number of the teacher's.
            sparse: Whether every group has one channel.

        Raises:
            UserError: SciPy, which finds the groups, is not installed.
        """
        require_extra("scipy")
        super().__init__()
        count, size = min(student, teacher), 1 if sparse else max(1, teacher // student)
        self.register_buffer("ours", torch.arange(count))
        self.register_buffer("theirs", torch.arange(count * size).view(count, size))

    def match(self, likeness: Tensor) -> None:
        """Choose the groups whose channels are alike, by the largest sum over all of them.

        Args:
            likeness: (student's channels, teacher's channels).
        """
        count, size = self.theirs.shape
        alike = likeness.nan_to_num().cpu().double()  # what is not finite fails as a loss
        assign = from_extra("scipy", "scipy.optimize").linear_sum_assignment
        rows, columns = assign(alike.repeat(size, 1).numpy(), maximize=True)
        groups = torch.from_numpy(columns).view(size, count).T
        self.ours.copy_(torch.from_numpy(rows)[:count])
        self.theirs.copy_(groups.sort(dim=1).values)

    def chosen(self, maps: Tensor) -> Tensor:
        """Give those of the student's maps (B, C, H, W) that have a group: (B, P, H, W)."""
        return maps.index_select(1, self.ours)

    def gathered(self, maps: Tensor) -> Tensor:
        """Put the teacher's maps (B, C, ...) in their groups: (B, P, G, ...)."""
        several = maps.index_select(1, self.theirs.flatten())
        return several.view(len(maps), *self.theirs.shape, *maps.shape[2:])


def likeness(student: Tensor, teacher: Tensor) -> Tensor:
    """Sum the cosines (C, C') of channels of maps (B, C, H, W) and (B, C', H, W) over images."""
    ours, theirs = (units(maps.flatten(2)) for maps in (student, teacher))
    return torch.einsum("bip,bjp->ij", ours, theirs)
