"""Time, work and memory of steps on a GPU, and the most that it can do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

Action = Callable[[], object]
MB = 2**20


@dataclass(frozen=True)
class Work:
    """What a step has to do at least, one operation after the other.

    Attributes:
        flops: Floating-point operations of products and convolutions; others are not counted.
        bytes: Inputs and outputs of every operation, each once; views move nothing.
    """

    flops: int
    bytes: int


class Count(TorchDispatchMode):
    """Counts the work of operations.

    `torch.utils.flop_counter` has the formulas; its own mode follows modules by hooks, which
    gradients within a step do not allow.
    """

    def __init__(self) -> None:
        """Start at 0."""
        super().__init__()
        self.flops = self.bytes = 0

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        """Run one operation, and count it unless it only gives a view."""
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if (flops := flop_registry.get(func._overloadpacket)) is not None:
            self.flops += flops(*args, **kwargs, out_val=result)
        aliases = [value.alias_info for value in func._schema.returns]
        if not any(alias is not None and not alias.is_write for alias in aliases):
            tensors = (x for x in tree_leaves((args, kwargs, result)) if isinstance(x, Tensor))
            for tensor in {id(x): x for x in tensors}.values():
                self.bytes += tensor.numel() * tensor.element_size()
        return result


def work_of(step: Action) -> Work:
    """Count the work of ``step`` while it runs."""
    with Count() as count:
        step()
    return Work(count.flops, count.bytes)


def periods(step: Action, count: int, device: torch.device) -> list[float]:
    """Take ``count`` steps in a row; give the milliseconds from the end of one to the next."""
    if device.type != "cuda":
        stamps = [time.perf_counter()]
        for _ in range(count):
            step()
            stamps.append(time.perf_counter())
        return [1000 * (after - before) for before, after in pairwise(stamps)]
    events = [torch.cuda.Event(enable_timing=True) for _ in range(count + 1)]
    events[0].record()
    for event in events[1:]:
        step()
        event.record()
    torch.cuda.synchronize()
    return [before.elapsed_time(after) for before, after in pairwise(events)]


@dataclass(frozen=True)
class Ceilings:
    """The most that a device was seen to do.

    Attributes:
        bandwidth: Bytes per second, read and written, of a large copy.
        flops: Floating-point operations per second of a large product, by type.
    """

    bandwidth: float
    flops: dict[str, float]

    @classmethod
    def of(cls, device: torch.device) -> Ceilings:
        """Measure ``device``; small on a CPU, which is there to try the code."""
        size, side = (2**30, 8192) if device.type == "cuda" else (2**22, 256)
        source = torch.randint(256, (size,), dtype=torch.uint8, device=device)
        target = torch.empty_like(source)
        bandwidth = 2 * size / _seconds(lambda: target.copy_(source), device)
        flops = {}
        for name, kind in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
            factor = torch.randn(side, side, device=device, dtype=kind)
            flops[name] = 2 * side**3 / _seconds(lambda x=factor: x @ x, device)
        return cls(bandwidth, flops)


def _seconds(step: Action, device: torch.device) -> float:
    periods(step, 3, device)
    return median(periods(step, 10, device)) / 1000


@contextmanager
def peak_memory(device: torch.device) -> Iterator[list[float]]:
    """Give a list that holds afterwards the most MB that were in use on a GPU."""
    found: list[float] = []
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    yield found
    if device.type == "cuda":
        found.append(torch.cuda.max_memory_allocated(device) / MB)
