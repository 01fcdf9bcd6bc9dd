"""Drawing images while every class keeps its share."""

from __future__ import annotations

import torch
from torch import Tensor

from sakd.data.batches.images import Images
from sakd.foundation.errors import UserError
from sakd.foundation.randomness import generator


def proportional(counts: Tensor, size: int) -> Tensor:
    """Share ``size`` among classes in proportion to ``counts``, (K,) int64, by largest remainder.

    Returns:
        (K,) int64, at most its count each, with sum ``size``.
    """
    total = int(counts.sum())
    quota, remainder = counts * size // total, counts * size % total
    largest = remainder.argsort(descending=True, stable=True)
    quota[largest[: size - int(quota.sum())]] += 1
    return quota


def draw_per_class(labels: Tensor, quota: Tensor, source: torch.Generator) -> Tensor:
    """Draw ``quota[k]`` positions of every class k, without replacement.

    Args:
        labels: (N,) int64.
        quota: (K,) int64, at most the number of images of the class each.
        source: Generator on the CPU.

    Returns:
        (sum of ``quota``,) int64, ascending positions.
    """
    shuffled = torch.randperm(len(labels), generator=source)
    by_class = shuffled[labels[shuffled].argsort(stable=True)]
    counts = labels.bincount(minlength=len(quota))
    first = counts.cumsum(0) - counts
    rank = torch.arange(len(labels)) - first[labels[by_class]]
    return by_class[rank < quota[labels[by_class]]].sort().values


def folds(labels: Tensor, count: int, source: torch.Generator) -> Tensor:
    """Deal the positions of ``labels`` into ``count`` parts in which every class has its share.

    The sizes of the parts differ by one at most, and so do the numbers of images of each class.

    Args:
        labels: (N,) int64.
        count: The number of parts.
        source: Generator on the CPU.

    Returns:
        (N,) int64, the part of each position, 0 to ``count`` - 1.
    """
    shuffled = torch.randperm(len(labels), generator=source)
    by_class = shuffled[labels[shuffled].argsort(stable=True)]
    return torch.empty_like(by_class).index_copy(0, by_class, torch.arange(len(labels)) % count)


def labelled_subset(train: Images, per_class: int | None, seed: int) -> Images:
    """Draw the labelled images that a student learns from: ``per_class`` of each class, or all.

    Raises:
        UserError: ``per_class`` is below 1, or above the number of images of a class.
    """
    if per_class is None:
        return train
    labels = train.labels.cpu()
    counts = labels.bincount()
    scarcest = int(counts[counts > 0].min())
    if not 1 <= per_class <= scarcest:
        found = f"{per_class} labelled images per class (data.student_per_class)"
        raise UserError(f"{found}; allowed: 1 to {scarcest}, or null for all")
    quota = torch.full_like(counts, per_class)
    index = draw_per_class(labels, quota, generator(seed, "labelled"))
    return train.subset(index.to(train.labels.device))
