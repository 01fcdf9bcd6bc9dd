"""A dataset as it is read, before any split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from sakd.data.batches.images import Images
from sakd.data.pictures.form import Form
from sakd.data.sources.classes import in_order


@dataclass(frozen=True, eq=False)
class RawData:
    """A dataset as it comes.

    Attributes:
        train: Images for training (and for what is carved from them).
        test: The test images that come with it, or None.
        classes: Class names; a label is a position in it.
        source: Words on where the images came from.
        mean: Published mean per channel, of pixels in [0, 1]; None to compute it.
        std: Published standard deviation, likewise.
        val: The validation images that come with it, or None.
        form: The form that pictures were converted to; None if the dataset gives tensors.
        notes: Remarks on the images that a reader of the results should know.
        skipped: The images that were left out as they cannot be used, and why.
    """

    train: Images
    test: Images | None
    classes: tuple[str, ...]
    source: str
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    val: Images | None = None
    form: Form | None = None
    notes: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    def ordered(self, classes: Sequence[str]) -> RawData:
        """Put the classes in this order, and their labels with them; nothing given, no change.

        Raises:
            UserError: These are other classes.
        """
        if not classes:
            return self
        order = in_order(self.classes, classes)
        labels = torch.tensor([order.index(name) for name in self.classes])

        def moved(images: Images) -> Images:
            return images.relabelled(labels[images.labels])

        val, test = (images and moved(images) for images in (self.val, self.test))
        return replace(self, train=moved(self.train), val=val, test=test, classes=order)
