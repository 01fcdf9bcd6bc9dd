"""What distillers of feature maps share."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def pool_to_smaller(student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    """Average the larger of two maps (B, C, H, W) down to the height of the smaller one."""
    height = min(student.shape[2], teacher.shape[2])
    if student.shape[2] > height:
        student = F.adaptive_avg_pool2d(student, height)
    if teacher.shape[2] > height:
        teacher = F.adaptive_avg_pool2d(teacher, height)
    return student, teacher


def attention(maps: Tensor) -> Tensor:
    """Unit-length attention (B, HW) of maps (B, C, H, W): the mean over channels of squares."""
    return F.normalize(maps.square().mean(dim=1).flatten(1))
