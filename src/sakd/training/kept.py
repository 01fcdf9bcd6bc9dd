"""Outputs of frozen teachers that are computed once, for all fixed views of a stream."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from sakd.data import Batch, BatchStream
from sakd.objectives import Objective, Outputs, Request, merged
from sakd.training.precision import Precision
from sakd.training.run import Run

MB = 10**6

logger = logging.getLogger(__name__)


class Asked(NamedTuple):
    """The request of a training to its frozen teacher, and the precision in which that runs."""

    request: Request
    precision: Precision

    @classmethod
    def by(cls, objective: Objective, precision: Precision) -> Asked | None:
        """Give what ``objective`` asks in ``precision``; None if nothing of it may be kept."""
        request = objective.request()
        return None if request is None or not request.keep_mb else cls(request, precision)

    @property
    def source(self) -> tuple[Precision, int]:
        """The precision and the teacher, which others may share."""
        return self.precision, id(self.request.teacher)

    def outputs(self, batch: Batch) -> list[Tensor]:
        """Run the teacher on the images of ``batch``; list what is asked, see `Request.listed`."""
        seen = self.precision.seen(batch)
        with self.precision.applied(seen.images.device):
            return self.request.listed(self.request.outputs(seen.images))


class Rows:
    """One output (B, ...) for all views of a stream, in the layout that the teacher gives it."""

    def __init__(self, example: Tensor, count: int) -> None:
        """Make room for ``count`` rows such as those of ``example`` (B, ...)."""
        last = example.is_contiguous(memory_format=torch.channels_last)
        self._channels = -1 if last and not example.is_contiguous() else 1  # their axis in memory
        laid = example.movedim(1, self._channels)
        self._rows = laid.new_empty(count, *laid.shape[1:])

    def write(self, view: Tensor, output: Tensor) -> None:
        """Keep ``output`` (B, ...) for the views ``view``, (B,) int64."""
        self._rows.index_copy_(0, view, output.movedim(1, self._channels))

    def read(self, view: Tensor) -> Tensor:
        """Give the output (B, ...) for the views ``view``, (B,) int64, on the same device."""
        return self._rows.index_select(0, view).movedim(self._channels, 1)


class KeptOutputs:
    """The outputs of a frozen teacher for all fixed views of a stream."""

    def __init__(self, asked: Asked, stream: BatchStream) -> None:
        """Run the teacher once on every view, in order."""
        self._request = asked.request
        self._rows: list[Rows] = []
        for batch in stream.views():
            outputs = asked.outputs(batch)
            self._rows = self._rows or [Rows(output, stream.fixed) for output in outputs]
            for rows, output in zip(self._rows, outputs, strict=True):
                rows.write(_places(batch), output)

    def of(self, batch: Batch) -> Outputs:
        """Look the outputs for ``batch`` up, without a forward pass."""
        return self._request.put([rows.read(_places(batch)) for rows in self._rows])


def keep(runs: Sequence[Run], stream: BatchStream) -> dict[Run, KeptOutputs]:
    """Compute what is kept of the teachers of ``runs``, once for all that share a teacher.

    It is kept if the views of ``stream`` are fixed and the outputs that a run asks for take no
    more than `Request.keep_mb`.
    """
    going = [run for run in runs if run.takes_part(len(run.history))]
    asked = {run: found for run in going if (found := Asked.by(run.objective, run.precision))}
    if not asked or not stream.fixed:
        return {}
    sizes = _sizes(asked.values(), stream)
    kept = {run: one for run, one in asked.items() if _fits(one, sizes)}
    if beyond := {run: one for run, one in asked.items() if run not in kept}:
        logger.info(
            "%s: the teacher runs in every step, as its outputs take %.1f MB and keep_outputs_mb "
            "is %d",
            ", ".join(run.name for run in beyond),
            max(sizes[one] for one in beyond.values()) / MB,
            max(one.request.keep_mb for one in beyond.values()),
        )
    tables = {joint.source: KeptOutputs(joint, stream) for joint in _joined(kept.values())}
    return {run: tables[one.source] for run, one in kept.items()}


def look_up(
    runs: Sequence[Run], batch: Batch, kept: Mapping[Run, KeptOutputs]
) -> dict[Run, Outputs]:
    """Look the teachers' outputs for ``batch`` up, once for all ``runs`` that share them."""
    tables = {run: kept[run] for run in runs if run in kept}
    found = {table: table.of(batch) for table in dict.fromkeys(tables.values())}
    return {run: found[table] for run, table in tables.items()}


def kept_bytes(asked: Collection[Asked], stream: BatchStream) -> int:
    """Count the bytes of all that `keep` would keep."""
    if not stream.fixed:
        return 0
    sizes = _sizes(asked, stream)
    joint = _joined(one for one in asked if _fits(one, sizes))
    return sum(_sizes(joint, stream).values())


def _sizes(asked: Collection[Asked], stream: BatchStream) -> dict[Asked, int]:
    """Count the bytes of the outputs for all views of ``stream``, from their shapes."""
    first, sizes = next(stream.views()), dict[Asked, int]()
    for joint in _joined(asked):
        outputs = joint.request.put(joint.outputs(first))
        for one in asked:
            if one.source == joint.source:
                rows = sum(output[0].nbytes for output in one.request.listed(outputs))
                sizes[one] = rows * stream.fixed
    return sizes


def _fits(asked: Asked, sizes: Mapping[Asked, int]) -> bool:
    """Tell whether outputs are kept, whatever memory is free and whoever else asks."""
    return sizes[asked] <= asked.request.keep_mb * MB


def _joined(asked: Iterable[Asked]) -> list[Asked]:
    """Join what is asked of one teacher in one precision."""
    groups: dict[Precision, list[Request]] = {}
    for one in asked:
        groups.setdefault(one.precision, []).append(one.request)
    return [Asked(r, precision) for precision, found in groups.items() for r in merged(found)]


def _places(batch: Batch) -> Tensor:
    if batch.view is None:
        raise TypeError("the views of this batch are not fixed")
    return batch.view
