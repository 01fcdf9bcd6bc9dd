"""CUDA graphs: all kernels of a step, launched at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import torch

from sakd.objectives.branches import Branches
from sakd.training.capture.draws import Draws
from sakd.training.capture.lanes import Beside
from sakd.training.capture.recorder import Action, Recorder

LANES = 8
"""The most runs whose kernels may overlap: each lane has the activations of a step."""


class Graphs:
    """Records actions as CUDA graphs, whose temporary tensors share one pool of memory.

    Actions run on a stream of their own, and the parts of runs on lanes that fork from it and
    join it at the end.
    """

    def __init__(self, device: torch.device) -> None:
        """Record on ``device``."""
        number = torch.cuda.current_device() if device.index is None else device.index
        self.device = torch.device("cuda", number)
        made = (_stream(self.device) for _ in range(2 + LANES))
        self.stream, self.aside, *self.lanes = made
        self.pool = torch.cuda.graph_pool_handle()
        self._forked: set[torch.cuda.Stream] = set()

    def rehearse(self, action: Action) -> None:
        """See `Recorder.rehearse`; memory that libraries keep per stream is made here."""
        with self._apart():
            action()
            self._join()

    def record(self, action: Action, generators: Iterable[torch.Generator]) -> Action:
        """See `Recorder.record`."""
        graph = torch.cuda.CUDAGraph()
        for generator in generators:
            graph.register_generator_state(generator)
        with self._apart(), self._drawing_from(torch.Generator(self.device)):
            try:
                self._capture(graph, action)
            except BaseException:
                self._abandon()
                raise
        return graph.replay

    def _capture(self, graph: torch.cuda.CUDAGraph, action: Action) -> None:
        failure: Exception | None = None
        try:
            # Other threads may go on: one that pins memory must not spoil the capture.
            with torch.cuda.graph(
                graph, pool=self.pool, stream=self.stream, capture_error_mode="thread_local"
            ):
                try:
                    action()
                except Exception as error:
                    failure = error
                self._join()
        except Exception as error:
            failure = failure or error  # the first says what is wrong
        if failure is not None:
            raise failure

    def teachers(self) -> Branches:
        """See `Recorder.teachers`."""
        return Beside([self.aside], self._forked)

    @contextmanager
    def place(self, number: int, of: int, draws: Draws) -> Iterator[Branches]:
        """See `Recorder.place`; lanes that no run has serve for branches."""
        lane = self.lanes[number % LANES]
        branches = Beside(self.lanes[number + of :: of], self._forked)
        lane.wait_stream(self.stream)
        self._forked.add(lane)
        with torch.cuda.stream(lane), self._drawing_from(draws.everywhere):
            yield branches

    def _join(self) -> None:
        while self._forked:
            self.stream.wait_stream(self._forked.pop())

    @contextmanager
    def _apart(self) -> Iterator[None]:
        """Run on the own stream, after what was given to the present one and before the rest."""
        outside = torch.cuda.current_stream(self.device)
        self.stream.wait_stream(outside)
        with torch.cuda.stream(self.stream):
            yield
        outside.wait_stream(self.stream)

    @contextmanager
    def _drawing_from(self, source: torch.Generator) -> Iterator[None]:
        """Let ``source`` stand in for torch's global generator of the device."""
        everywhere = torch.cuda.default_generators[self.device.index]
        before = everywhere.graphsafe_get_state()
        everywhere.graphsafe_set_state(source.graphsafe_get_state())
        try:
            yield
        finally:
            everywhere.graphsafe_set_state(before)

    def _abandon(self) -> None:
        """Take the memory pool back from a capture that did not come to its end."""
        with suppress(RuntimeError):  # it did, or was never begun
            torch._C._cuda_endAllocateToPool(self.device.index, self.pool)
            torch._C._cuda_releasePool(self.device.index, self.pool)
        self.pool = torch.cuda.graph_pool_handle()


def recorder_for(device: torch.device) -> Recorder | None:
    """Give the recorder for ``device``; None where there is no way to record."""
    return Graphs(device) if device.type == "cuda" else None


def _stream(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
