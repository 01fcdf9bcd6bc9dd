"""What a row of students costs side by side, over what its cells cost one by one.

A step of a pack is the teacher's forward pass, once, and the own step of every student; alone each
student needs a forward pass of the teacher too. The prediction is the same ratio in multiply-
accumulates of convolutions and matrix products, counted in one step of each. Processor time of one
thread, float32, channels-last maps; pack and single cells are taken in turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from statistics import median
from typing import Any

from device import work_of
from measuring import Step, interleaved
from steps import distillation_run, random_batch

from sakd.data import Batch
from sakd.networks import StagedNetwork
from sakd.objectives import Outputs, answer
from sakd.training import Precision, Run
from sakd.training.memory import memory_kept

PAIRS = ("resnet32x4/resnet8x4", "ResNet50/MobileNetV2")
DISTILLERS = ("fitnet", "at", "sp", "cc", "vid", "rkd", "pkt", "ft", "nst", "crd")
POLICIES = ("always", "adaptive")
PRECISION = Precision(channels_last=True)
FEWER = 8
"""Operations are counted on so many times fewer images, to which they are proportional."""


@memory_kept()
def measured(pair: str, size: int, rounds: int = 1) -> dict[str, Any]:
    """Measure the pack of all distillers and policies at one pair, with batches of ``size``."""
    batch, few = (PRECISION.seen(random_batch(count)) for count in (size, max(2, size // FEWER)))
    teacher: StagedNetwork | None = None
    runs: list[Run] = []
    for distiller, policy in product(DISTILLERS, POLICIES):
        run, teacher = distillation_run(
            pair, distiller, policy, precision=PRECISION, teacher=teacher
        )
        runs.append(run)
    requests = [run.objective.request() for run in runs]

    def taught(seen: Batch) -> list[Outputs | None]:
        return answer(requests, seen.images)

    def pack() -> None:
        for run, outputs in zip(runs, taught(batch), strict=True):
            run.step(batch, outputs)

    def alone(run: Run) -> Step:
        return lambda: run.step(batch)

    one, given = work_of(lambda: answer(requests[:1], few.images)).flops, taught(few)
    own = [
        work_of(lambda r=run, o=outputs: r.step(few, o)).flops
        for run, outputs in zip(runs, given, strict=True)
    ]
    pack()  # memory and convolutions are prepared for batches of this size
    steps: Mapping[str, Step] = {"pack": pack} | {str(n): alone(r) for n, r in enumerate(runs)}
    spent = interleaved(steps, rounds)
    together = spent.pop("pack")
    apart = [sum(cells) for cells in zip(*spent.values(), strict=True)]
    return {
        "pair": pair,
        "cells": len(runs),
        "seconds": round(median(together) / 1000, 3),
        "alone_seconds": round(median(apart) / 1000, 3),
        "ratio": round(median(a / b for a, b in zip(together, apart, strict=True)), 3),
        "predicted": round((one + sum(own)) / (len(own) * one + sum(own)), 3),
    }


def line(result: Mapping[str, Any]) -> str:
    """Show a result."""
    times = "side by side {seconds:.2f} s a step, one by one {alone_seconds:.2f} s"
    ratios = "ratio {ratio:.2f}, predicted {predicted:.2f}"
    return ("{pair}: {cells} cells " + times + "; " + ratios).format(**result)
