"""Wrong labels, to train a teacher that has learned some things wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from sakd.foundation.randomness import generator

if TYPE_CHECKING:
    from sakd.data.batches.images import Images


def mislabelled(images: Images, share: float, classes: int, seed: int) -> Images:
    """Replace the labels of a share of ``images``, each by one of the other classes.

    Which images, and by which class, is drawn uniformly from ``seed``. Of one seed, the images of a
    smaller share are among those of a larger one, with the same wrong labels.

    Args:
        images: N images.
        share: Of N, rounded; from 0 to 1.
        classes: Number of classes.
        seed: Decides which.
    """
    source = generator(seed, "wrong labels")
    count = len(images.labels)
    wrong = torch.randperm(count, generator=source)[: round(share * count)]
    shift = torch.randint(1, classes, (count,), generator=source)[: len(wrong)]
    labels = images.labels.clone()
    labels[wrong] = (labels[wrong] + shift) % classes
    return images.relabelled(labels)
