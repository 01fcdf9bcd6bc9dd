"""Attentive feature distillation."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair, mean_over_batch
from sakd.distillers.parts.maps import pool_to_smaller, projection, squared, units
from sakd.foundation.errors import require_positive
from sakd.networks.spots import SpotFamily


class AttentiveChannels(Distiller):
    """Match where each channel is active, in those channels that an attention picks.

    Wang et al., ICLR 2020, "Pay Attention to Features, Transfer Learn Faster CNNs" (AFDS), its
    attentive distillation, as in Knowledge-Distillation-Zoo, another implementation, whose weight
    of 500 this is.
    Loss: mean_b sum_c rho_bc || u(F_s[c]) - u(F_t[c]) ||^2 / HW, u(F) = F / |F|. The attention rho
    is made of the means of the teacher's channels by two linear layers and a sigmoid, and sums to
    1 over the channels, see `ChannelAttention`. The student's loss trains it, so it may leave out
    what the student finds hard. Where channels differ, a 1x1 convolution maps the student's to the
    teacher's; maps of unequal size are averaged to the smaller.
    Differs from the paper: that implementation calls the paper's attention unstable and has
    replaced it; the part that prunes the student is not here. `sakd.distillers.afd` is another
    system.
    """

    family = SpotFamily.EVERY_STAGE
    weight = 500.0
    weighs = True

    def __init__(self, pair: Pair, *, hidden: float = 1.0) -> None:
        """Make the attentions and the convolutions.

        Args:
            pair: The networks and the data.
            hidden: The width of an attention's inner layer, as a multiple of the channels.

        Raises:
            UserError: The width is not positive.
        """
        super().__init__(pair)
        require_positive(hidden=hidden)
        channels = [
            (student[0], teacher[0])
            for student, teacher in zip(pair.student_shapes, pair.teacher_shapes, strict=True)
        ]
        self.projections = nn.ModuleList(projection(*both) for both in channels)
        self.attentions = nn.ModuleList(ChannelAttention(c, hidden) for _, c in channels)

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are maps (B, C, H, W) of any channels and sizes."""
        attention = self.attentions[spot](teacher)
        student, teacher = pool_to_smaller(student, teacher)
        ours, theirs = (units(x.flatten(2)) for x in (self.projections[spot](student), teacher))
        errors = squared(ours - theirs).mean(dim=2)
        return mean_over_batch((attention * errors).sum(dim=1), chosen)


class ChannelAttention(nn.Module):
    """The share of each channel: sigmoids of a perceptron of the channels' means, over their sum.

    Hu et al., CVPR 2018, arXiv:1709.01507, less the sum.
    """

    def __init__(self, channels: int, hidden: float) -> None:
        """Make the layers for maps of ``channels``, the inner one ``hidden`` times as wide."""
        super().__init__()
        width = max(1, int(hidden * channels))
        self.squeeze = nn.Linear(channels, width)
        self.excite = nn.Linear(width, channels)

    def forward(self, maps: Tensor) -> Tensor:
        """Compute the shares (B, C) of maps (B, C, H, W)."""
        open_channels = torch.sigmoid(self.excite(relu(self.squeeze(maps.mean(dim=(2, 3))))))
        return open_channels / open_channels.sum(dim=1, keepdim=True)
