"""A batch that stays in one place in memory."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from sakd.data import Batch
from sakd.data.batches.mixing import Mixture

Form = tuple[object, ...]
"""Shapes, types and layouts: batches of one form fit in the same memory."""


class Buffers:
    """Memory for the tensors of a batch.

    Attributes:
        batch: The batch in this memory.
    """

    def __init__(self, batch: Batch) -> None:
        """Copy ``batch``."""
        self.batch = _copy(batch)

    def load(self, batch: Batch) -> None:
        """Copy a ``batch`` of the same form into the memory."""
        for kept, new in zip(_tensors(self.batch), _tensors(batch), strict=True):
            kept.copy_(new)


def form(batch: Batch) -> Form:
    """Describe the memory that ``batch`` needs."""
    return tuple((x.shape, x.dtype, x.stride()) for x in _tensors(batch))


def _copy(batch: Batch) -> Batch:
    mixture = batch.mixture
    if mixture is not None:
        mixture = Mixture(mixture.partner.clone(), mixture.share.clone())
    return batch._replace(
        images=batch.images.clone(),
        labels=batch.labels.clone(),
        index=batch.index.clone(),
        mixture=mixture,
        view=None if batch.view is None else batch.view.clone(),
        aside=None if batch.aside is None else _copy(batch.aside),
    )


def _tensors(batch: Batch) -> Iterator[Tensor]:
    yield from (batch.images, batch.labels, batch.index)
    yield from batch.mixture or ()
    if batch.view is not None:
        yield batch.view
    if batch.aside is not None:
        yield from _tensors(batch.aside)
