"""How samples lie around the means of their classes, and these to each other."""

from __future__ import annotations

from collections.abc import Sequence

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


def correct_averages(labels: Tensor, chosen: Tensor, correct: Tensor, dtype: torch.dtype) -> Tensor:
    """Make the matrix (B, B) that takes samples to the means of the correct ones of their class.

    A sample whose class has no correct one is taken to itself.

    Args:
        labels: (B,), one for each sample.
        chosen: (B,) bool; the others count in no mean.
        correct: (B,) bool, whether the network is right about a sample.
        dtype: The type of the matrix.
    """
    counted = ((labels[:, None] == labels) & chosen & correct).to(dtype)
    total = counted.sum(dim=1)
    return counted / total.clamp(min=1)[:, None] + torch.diag((total == 0).to(dtype))


def structure_error(
    student: Tensor,
    teacher: Tensor,
    averages: Tensor,
    intra: float,
    inter: float,
    around: Sequence[Tensor] | None = None,
) -> Tensor:
    """Compute the error (B,) of features (B, ...), whose mean over the chosen samples is the loss.

    Args:
        student: The student's features.
        teacher: The teacher's, of the same shape.
        averages: (B, B), see `class_averages`.
        intra: Weight of the differences between samples and their classes.
        inter: Weight of the angles between classes.
        around: Where samples lie around other means than those of ``averages``: the matrices (B, B)
            that take the student's and the teacher's features to them. Such means have no gradient,
            as in the authors' code. That of the means of all changes nothing, as the differences
            from them sum to 0.
    """
    ours, theirs = student.flatten(1), teacher.flatten(1)
    shift = ours - theirs
    if around is None:
        middle = averages @ shift
    else:
        middle = (around[0] @ ours - around[1] @ theirs).detach()
    within = squared(shift - middle).sum(dim=1) / shift.shape[1] ** 2
    difference = cosines(averages @ ours) - cosines(averages @ theirs)
    share = averages.diagonal()  # so that the samples of a class count as one
    angles = (squared(difference) * share[:, None] * share).sum()
    between = angles / share.sum().clamp(min=1) ** 3
    return intra * within + inter * between


def cosines(rows: Tensor) -> Tensor:
    """Compute the cosines (B, B) of the angles between rows (B, D)."""
    units = normalize(rows)
    return units @ units.T
