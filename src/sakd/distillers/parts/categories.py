"""How samples lie around the means of their classes, and these to each other."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from sakd.distillers.parts.maps import squared


def class_averages(labels: Tensor, chosen: Tensor, dtype: torch.dtype) -> Tensor:
    """Make the matrix (B, B) that takes samples to the means of the chosen of their class.

    Its rows and columns of other samples are 0. On its diagonal is 1 over the size of the class.
    """
    same = ((labels[:, None] == labels) & chosen[:, None] & chosen).to(dtype)
    return same / same.sum(dim=1, keepdim=True).clamp(min=1)


def structure_error(
    student: Tensor, teacher: Tensor, averages: Tensor, intra: float, inter: float
) -> Tensor:
    """Compute the error (B,) of features (B, ...), whose mean over the chosen samples is the loss.

    Args:
        student: The student's features.
        teacher: The teacher's, of the same shape.
        averages: (B, B), see `class_averages`.
        intra: Weight of the differences between samples and their classes.
        inter: Weight of the angles between classes.
    """
    ours, theirs = student.flatten(1), teacher.flatten(1)
    shift = ours - theirs
    within = squared(shift - averages @ shift).sum(dim=1) / shift.shape[1] ** 2
    difference = cosines(averages @ ours) - cosines(averages @ theirs)
    share = averages.diagonal()  # so that the samples of a class count as one
    angles = (squared(difference) * share[:, None] * share).sum()
    between = angles / share.sum().clamp(min=1) ** 3
    return intra * within + inter * between


def cosines(rows: Tensor) -> Tensor:
    """Compute the cosines (B, B) of the angles between rows (B, D)."""
    units = normalize(rows)
    return units @ units.T
