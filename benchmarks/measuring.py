"""Time and memory of steps on a CPU: processor time of one thread, bytes held at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from statistics import median

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler talks
os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")

import torch

Step = Callable[[], object]
MB = 2**20


def interleaved(steps: Mapping[str, Step], rounds: int) -> dict[str, list[float]]:
    """Take every step once a round, so that a drift of the machine's speed hits all alike.

    Args:
        steps: By name; each has been taken before.
        rounds: How many.

    Returns:
        Milliseconds of processor time by step and round, which others on the machine change
        little.
    """
    spent: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            started = time.process_time()
            step()
            spent[name].append(1000 * (time.process_time() - started))
    return spent


def milliseconds(step: Step, rounds: int) -> float:
    """The median over ``rounds``."""
    return median(interleaved({"": step}, rounds)[""])


def peak(step: Step) -> float:
    """The most MB that ``step`` holds at a time, above those held before."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=activities, profile_memory=True) as profile:
        step()
    events = profile.profiler.kineto_results.events()
    changes = [(event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]"]
    held = most = 0
    for _, change in sorted(changes, key=lambda pair: pair[0]):
        held += change
        most = max(most, held)
    return most / MB


def dearest(step: Step, count: int) -> list[str]:
    """Describe the ``count`` operations in which a step spends most time; empty for 0."""
    if not count:
        return []
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=activities) as profile:
        step()
    found = sorted(profile.key_averages(), key=lambda event: -event.self_cpu_time_total)
    total = sum(event.self_cpu_time_total for event in found)
    return [
        f"{event.key:<36.36}{event.count:>5}{event.self_cpu_time_total / 1000:>9.1f} ms"
        f"{event.self_cpu_time_total / total:>6.0%}"
        for event in found[:count]
    ]
