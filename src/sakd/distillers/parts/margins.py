"""Shared by the distillers of responses before the rectifier."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sakd.distillers.parts.maps import sample_sums, squared


def shortfalls(student: Tensor, wanted: Tensor) -> Tensor:
    """Sum the squared differences (B,) of responses (B, C, H, W), but for those that do not matter.

    Where the student is to be silent and is below what is wanted, the rectifier sees no difference.
    """
    counts = (student > wanted) | (wanted > 0)
    return sample_sums(squared(student - wanted) * counts.to(student.dtype))


class NegativeMean(nn.Module):
    """The mean of the negative responses of every channel, over all batches of the training.

    Attributes:
        mean: (C,); 0 where a channel has had no negative response yet.
        count: (C,), the number of negative responses so far.
    """

    mean: Tensor
    count: Tensor

    def __init__(self, channels: int) -> None:
        """Start with no response.

        Args:
            channels: C.
        """
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("count", torch.zeros(channels, dtype=torch.int64))

    @torch.no_grad()
    def forward(self, maps: Tensor) -> Tensor:
        """Return the mean (C, 1, 1); in training mode count ``maps`` (B, C, H, W) first."""
        if self.training:
            seen = (maps < 0).sum(dim=(0, 2, 3))
            self.count += seen
            total = maps.clamp(max=0).sum(dim=(0, 2, 3))
            self.mean += (total - seen * self.mean) / self.count.clamp(min=1)
        return self.mean[:, None, None]
