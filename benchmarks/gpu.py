"""Measure training on a GPU: steps of every distiller, and all that the CIFAR-100 grid needs.

First the most that the device can do: bytes of a large copy, operations of large products. Then,
at the first pair, an adaptive step of every distiller: in float32; with bfloat16 products and
channels-last maps; that from a CUDA graph; and from one of compiled networks. Then, at each pair, a
pack of every distiller under both policies, from a graph, not compiled; 240 epochs of 50,000 images
in batches of 64, for every pair, are the grid for one seed. Steps take their batches from a stream
of random images on the device; times are medians, by CUDA events. It ends by itself, and says what
it left out.

    PYTHONPATH=src python benchmarks/gpu.py
    PYTHONPATH=src python benchmarks/gpu.py --pairs vgg13/vgg8 --distillers at crd --budget 60
"""

from __future__ import annotations

import argparse
import gc
import logging
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from statistics import median
from typing import Any

import records
import torch
from device import Ceilings, Work, peak_memory, periods, work_of
from goals import COMPILED, GRAPH, shown_goals
from losses import PAIRS as OTHERS
from steps import CLASSES, EXACT, SHAPE

from sakd.data import Augment, BatchStream, ImageSet
from sakd.foundation.errors import UserError
from sakd.foundation.machine import resolve_device
from sakd.networks import NETWORKS
from sakd.objectives import DataFacts, Optimisation, distil
from sakd.training import Precision, Run
from sakd.training.capture import Captured
from sakd.training.fit import stepping

MAIN = "wrn_40_2/wrn_16_2"
PAIRS = (MAIN, *(pair for pair in OTHERS if pair != MAIN))
DISTILLERS = ("kd", "fitnet", "at", "sp", "rkd", "cc", "pkt", "nst", "vid", "crd")
POLICIES = ("always", "adaptive")
FAST = Precision(torch.bfloat16, channels_last=True, tf32=True)
SETTINGS = {
    "fp32": (EXACT, False),
    "fast": (FAST, False),
    GRAPH: (FAST, True),
    COMPILED: (replace(FAST, compiled=True), True),
}
WARM = 5


class Bench:
    """Measures steps on one device, for as long as there is time."""

    def __init__(self, options: argparse.Namespace, device: torch.device) -> None:
        """Measure as ``options`` say on ``device``."""
        self.options, self.device = options, device
        self.started = time.monotonic()
        self.left_out: list[str] = []
        self.results: list[dict[str, Any]] = []
        self.ceilings = Ceilings.of(device)
        images = torch.randint(256, (options.images, *SHAPE), dtype=torch.uint8)
        self.labels = torch.arange(options.images) % CLASSES
        self.stream = BatchStream(
            ImageSet(images, self.labels).to(device),
            (0.5,) * 3,
            (0.25,) * 3,
            batch_size=options.batch,
            seed=0,
            augment=Augment(crop_padding=4, flip=True),
            device=device,
        )

    def measure(self, pair: str, what: list[tuple[str, str]], setting: str, name: str) -> None:
        """Measure a step of all of ``what`` (distiller, policy) side by side, if there is time."""
        title = f"{pair} {name} {setting}"
        if time.monotonic() - self.started > self.options.budget:
            self.left_out.append(title)
            return
        try:
            figures = self._figures(pair, what, setting)
        except (RuntimeError, UserError) as error:  # the others are worth their time
            self.left_out.append(f"{title} ({str(error).splitlines()[0]})")
            return
        finally:
            gc.collect()
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
        key = (*pair.split("/"), name, "-".join(sorted({p for _, p in what})), setting)
        self.results.append(dict(zip(records.KEY, key, strict=True)) | figures)
        print(line(self.results[-1]), flush=True)

    def _figures(self, pair: str, what: list[tuple[str, str]], setting: str) -> dict[str, Any]:
        precision, graph = SETTINGS[setting]
        runs = list(self._runs(pair, what, precision))
        batches = chain.from_iterable(self.stream.epoch(number) for number in count())
        take = stepping({}, self.device, graph=graph)
        with torch.compiler.set_stance("force_eager"):  # what it meets here it may leave for good
            work = work_of(lambda: stepping({}, self.device, graph=False)(runs, next(batches)))

        def step() -> None:
            batch = next(batches)
            while len(batch.labels) != self.options.batch:  # the rest at the end of an epoch
                batch = next(batches)
            take(runs, batch)

        with peak_memory(self.device) as peak:
            periods(step, WARM, self.device)
            spent = median(periods(step, self.options.steps, self.device))
        for run in runs:
            if run.failure is not None:
                raise RuntimeError(f"{type(run.failure).__name__}: {run.failure}")
        refused = isinstance(take, Captured) and bool(take.refused)
        return {
            "members": len(runs),
            "step_ms": round(spent, 3),
            "images_per_s": round(1000 * self.options.batch * len(runs) / spent),
            **self._shares(work, spent / 1000, "bf16" if precision.autocast else "fp32"),
            "peak_mb": round(peak[0]) if peak else None,
            "repeated": graph and self.device.type == "cuda" and not refused,
        }

    def _runs(self, pair: str, what: list[tuple[str, str]], precision: Precision) -> Iterator[Run]:
        teacher, student = (NETWORKS[name] for name in pair.split("/"))
        data, taught_by = DataFacts(SHAPE, self.labels), teacher(CLASSES)
        for distiller, policy in what:
            objective = distil(student(CLASSES), taught_by, distiller, policy, data)
            objective.to(self.device)
            precision.lay_out(objective)
            slow = dict.fromkeys(objective.players(), Optimisation(lr=1e-4))  # noise, not NaN
            run = Run(objective, epochs=1, optimisation=slow, precision=precision)
            run.objective.train()
            yield run

    def _shares(self, work: Work, seconds: float, kind: str) -> dict[str, float]:
        """Give the shares of what the device can do, from lower bounds of the work."""
        return {
            "share_of_flops": round(work.flops / seconds / self.ceilings.flops[kind], 4),
            "share_of_bandwidth": round(work.bytes / seconds / self.ceilings.bandwidth, 4),
        }


def main() -> None:
    """Measure, print and write."""
    options = parse()
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    try:
        device = resolve_device(options.device)
    except UserError as error:
        sys.exit(str(error))
    torch.manual_seed(0)
    if device.type == "cpu":
        torch.set_num_threads(1)
    record = records.header()
    revision = record["revision"]
    path = records.place(options.output, f"gpu-{revision[:12]}{revision[40:]}")
    bench = Bench(options, device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"{name}: {bench.ceilings}")
    settings = [s for s, (_, graph) in SETTINGS.items() if device.type == "cuda" or not graph]
    for setting in settings:
        for distiller in options.distillers:
            bench.measure(options.pairs[0], [(distiller, "adaptive")], setting, distiller)
    everything = [(d, p) for d in options.distillers for p in POLICIES]
    for pair in options.pairs:
        bench.measure(pair, everything, GRAPH if GRAPH in settings else settings[-1], "pack")
    record |= {"device": name, "ceilings": vars(bench.ceilings)}
    record |= {"left_out": bench.left_out, "results": bench.results}
    for goal in shown_goals(bench.results, options.pairs):
        print(goal)
    if bench.left_out:
        print(f"left out: {'; '.join(bench.left_out)}")
    records.write(path, record)
    print(f"written to {path}")


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", help="cpu only tries the code")
    parser.add_argument("--pairs", nargs="+", default=PAIRS, metavar="TEACHER/STUDENT")
    parser.add_argument("--distillers", nargs="+", default=DISTILLERS)
    parser.add_argument("--steps", type=int, default=30, help="that are timed")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--budget", type=float, default=400, help="seconds for measurements")
    parser.add_argument("--output", type=Path, help="by default results/gpu-REVISION.json")
    return parser.parse_args()


def line(result: dict[str, Any]) -> str:
    """Show a result."""
    names = f"{result['teacher']}/{result['student']:<14} {result['distiller']:<8}"
    times = f"{result['setting']:<20}{result['step_ms']:>9.2f} ms{result['images_per_s']:>10,}/s"
    shares = f"{result['share_of_flops']:>7.1%} FLOPs{result['share_of_bandwidth']:>7.1%} bytes"
    peak = "" if result["peak_mb"] is None else f"{result['peak_mb']:>8,} MB"
    return f"{names}{times}{shares}{peak}"


if __name__ == "__main__":
    main()
