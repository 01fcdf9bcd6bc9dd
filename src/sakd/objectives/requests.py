"""Requests of objectives to a frozen teacher, and one answer to several of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, overload

import torch
from torch import Tensor

from sakd.distillers import Distiller, Sensitivity, Side
from sakd.networks import StagedNetwork
from sakd.objectives.branches import IN_LINE, Branches, Wait, at_once
from sakd.objectives.outputs import Outputs


class Picked(Sequence[Tensor]):
    """Some of the outputs of a network, at their positions; to read another one is an error."""

    def __init__(self, found: Mapping[int, Tensor], total: int, wait: Wait = at_once) -> None:
        """Give each of ``found`` the position that is its key, among ``total``.

        Who reads one has to ``wait`` first; it is called then.
        """
        self.found = found
        self.total = total
        self.wait = wait

    def __len__(self) -> int:
        """Count all positions."""
        return self.total

    @overload
    def __getitem__(self, place: int) -> Tensor: ...
    @overload
    def __getitem__(self, place: slice) -> Picked: ...
    def __getitem__(self, place: int | slice) -> Tensor | Picked:
        """Give an output, or those of a slice.

        Raises:
            LookupError: The output was not asked for.
        """
        places = range(self.total)[place]
        if isinstance(places, range):
            found = {k: self.found[at] for k, at in enumerate(places) if at in self.found}
            return Picked(found, len(places), self.wait)
        if places not in self.found:
            raise LookupError(f"the request does not name output {places} of the teacher")
        self.wait()
        return self.found[places]


class Request(NamedTuple):
    """The outputs of a frozen teacher that an objective needs; computed once for all that ask.

    Attributes:
        teacher: The teacher, in evaluation mode; it runs without gradient.
        closed: The positions of the outputs that are needed, as in `Outputs.closed`.
        unrectified: The positions of those needed before rectifiers.
        keep_mb: The most memory, in MB, in which outputs of all training images may be kept.
    """

    teacher: StagedNetwork
    closed: frozenset[int]
    unrectified: frozenset[int] = frozenset()
    keep_mb: int = 0

    @classmethod
    def of(
        cls, teacher: StagedNetwork, distillers: Iterable[Distiller], *, keep_mb: int = 0
    ) -> Request:
        """Ask for those outputs of ``teacher`` that ``distillers`` compare.

        Gradients are not among them; those by the embedding begin at it.
        """
        closed: set[int] = set()
        unrectified: set[int] = set()
        for distiller in distillers:
            if distiller.sensitivity is Sensitivity.EMBEDDING:
                closed.add(teacher.depth - 1)
            elif distiller.sensitivity is None:
                places = unrectified if Side.TEACHER in distiller.unrectified else closed
                places.update(spot.teacher for spot in distiller.pair.spots)
        return cls(teacher, frozenset(closed), frozenset(unrectified), keep_mb)

    @torch.no_grad()
    def outputs(self, images: Tensor) -> Outputs:
        """Run the teacher on ``images`` (B, C, H, W); give the outputs that are needed."""
        unrectified = bool(self.unrectified)
        found = Outputs.of(self.teacher, images, Side.TEACHER, unrectified=unrectified)
        return self.put(self.listed(found))

    def listed(self, outputs: Outputs) -> list[Tensor]:
        """List those of ``outputs`` that are needed; `put` is the way back."""
        closed = [outputs.closed[at] for at in sorted(self.closed)]
        return closed + [outputs.unrectified[at] for at in sorted(self.unrectified)]

    def put(self, listed: Sequence[Tensor], wait: Wait = at_once) -> Outputs:
        """Put the outputs of a list at their positions; who reads one calls ``wait``."""
        total, first = len(self.teacher.stage_names), len(self.closed)
        closed = zip(sorted(self.closed), listed[:first], strict=True)
        unrectified = zip(sorted(self.unrectified), listed[first:], strict=True)
        kinds = Picked(dict(closed), total, wait), Picked(dict(unrectified), total, wait)
        return Outputs(*kinds, Side.TEACHER)

    def joined(self, closed: Iterable[int], unrectified: Iterable[int] = ()) -> Request:
        """Ask for the outputs at further positions, too."""
        return self._replace(
            closed=self.closed.union(closed), unrectified=self.unrectified.union(unrectified)
        )


def merged(requests: Iterable[Request]) -> Iterator[Request]:
    """Join the ``requests`` for one teacher to one."""
    joint: dict[int, Request] = {}
    for request in requests:
        key = id(request.teacher)
        known = joint.get(key, request)
        joint[key] = known.joined(request.closed, request.unrectified)
    return iter(joint.values())


def answer(
    requests: Sequence[Request | None], images: Tensor, branches: Branches = IN_LINE
) -> list[Outputs | None]:
    """Answer ``requests`` for ``images`` (B, C, H, W) by one forward pass per teacher.

    Who reads an output waits for it, where ``branches`` compute it apart.

    Returns:
        The outputs for each request; None for None.
    """
    joint = merged(request for request in requests if request is not None)
    with branches.branch("teachers", images) as wait:
        found = [(request, request.listed(request.outputs(images))) for request in joint]
    given = {id(request.teacher): request.put(listed, wait) for request, listed in found}
    return [None if request is None else given[id(request.teacher)] for request in requests]
