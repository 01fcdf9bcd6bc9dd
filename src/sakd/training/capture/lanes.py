"""Branches of a step on a stream of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

from sakd.objectives.branches import Branches, Wait, at_once


class Beside(Branches):
    """Computes each branch on a further stream of a GPU; in line once there are no more streams.

    What a branch reads of other streams stays in memory until the branches are joined, and what it
    makes is of its own stream's memory: so no memory is used again while another stream reads it.
    """

    def __init__(
        self, streams: Sequence[torch.cuda.Stream], forked: set[torch.cuda.Stream]
    ) -> None:
        """Use ``streams``, and note in ``forked`` those that are to be joined in the end."""
        self._streams = streams
        self._forked = forked
        self._open: dict[str, torch.cuda.Stream] = {}
        self._read: list[object] = []

    @contextmanager
    def branch(self, name: str, *read: object) -> Iterator[Wait]:
        """See `Branches.branch`."""
        if name not in self._open:
            if len(self._open) == len(self._streams):
                yield at_once
                return
            self._open[name] = self._streams[len(self._open)]
        stream = self._open[name]
        stream.wait_stream(torch.cuda.current_stream(stream.device))
        self._forked.add(stream)
        self._read += read
        done = torch.cuda.Event()  # type: ignore[no-untyped-call]
        with torch.cuda.stream(stream):
            yield lambda: torch.cuda.current_stream(stream.device).wait_event(done)
            done.record(stream)

    def along(self, name: str) -> AbstractContextManager[None]:
        """See `Branches.along`."""
        return torch.cuda.stream(self._open[name]) if name in self._open else nullcontext()

    def join(self) -> None:
        """See `Branches.join`."""
        for stream in self._open.values():
            torch.cuda.current_stream(stream.device).wait_stream(stream)
        self._open.clear()
        self._read.clear()
