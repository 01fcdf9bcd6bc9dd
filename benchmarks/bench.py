"""Measure what a step of every distiller costs over the floor, in time and in memory.

The floor is what no distillation can do without: the teacher's forward pass without gradient, and
the student's forward, backward and update on cross-entropy, in contiguous float32. It is taken in
turn with a distiller's steps (both policies, every setting), round by round; a ratio is the median
over the rounds. One thread counts, by the processor time that it had; two distillers are measured
at the same time where there are two cores (``--jobs``). The peak is that of the first step, above
what networks, distillers and banks hold. At one pair (``--all``) all other distillers follow,
plain, and all other policies, with kd, in the floor's setting. Then packs are measured, see
packs.py.

    python benchmarks/bench.py --pairs wrn_40_2/wrn_16_2 --distillers at crd --rounds 5 --jobs 1
    python benchmarks/bench.py --compare benchmarks/results/A.json benchmarks/results/B.json
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import packs
import records
import torch
from measuring import interleaved, peak
from steps import FLOOR, SETTINGS, distillation_step, floor_step, possible_settings, random_batch

from sakd.distillers import DISTILLERS
from sakd.foundation.errors import UserError
from sakd.routing import POLICIES
from sakd.training.memory import memory_kept

Variant = tuple[str, str]
Task = tuple[str, str, list[Variant]]
PAIRS = ("wrn_40_2/wrn_16_2", "resnet32x4/resnet8x4", "vgg13/vgg8")
MAIN = ("sp", "cc", "rkd", "pkt", "kd", "fitnet", "at", "vid", "ft", "nst", "crd")
OTHERS = ("fsp", "ofd", "reviewkd")
PLAIN, MAIN_POLICIES = "always", ("always", "adaptive")
ROUTED = "kd"


def main() -> None:
    """Measure, print and write; or print two files side by side."""
    options = parse()
    if options.compare:
        records.side_by_side(*options.compare)
        return
    torch.set_num_threads(1)  # as in the processes that measure
    record = records.header() | {"jobs": options.jobs, "packs": [], "results": []}
    revision = record["revision"]
    path = records.place(options.output, f"{revision[:12]}{revision[40:]}")
    if missing := SETTINGS.keys() - set(possible_settings()):
        print(f"not measured, as this processor has no instructions for bf16: {missing}")
    print(f"{'':<22}{'':<24}{'':<20}{'ms':>8}{'floor':>8}{'ratio':>7}{'peak MB':>9}")
    plan = list(planned(options))
    one_thread = {"initializer": torch.set_num_threads, "initargs": (1,)}
    with ProcessPoolExecutor(options.jobs, get_context("spawn"), **one_thread) as pool:
        found_in_turn = pool.map(partial(tried, options), plan)
        for (pair, distiller, _), found in zip(plan, found_in_turn, strict=True):
            if isinstance(found, str):
                print(f"{pair:<22}{distiller:<24}refused: {found}", flush=True)
                continue
            record["results"] += found
            print(*map(line, found), sep="\n", flush=True)
            records.write(path, record)
        for pair in options.packs:  # one by one: beside another it takes up to a tenth longer
            pack = pool.submit(packs.measured, pair, size=options.batch).result()
            record["packs"].append(pack)
            print(packs.line(pack), flush=True)
            records.write(path, record)
    print(f"written to {path}")


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", nargs="*", default=PAIRS, metavar="TEACHER/STUDENT")
    parser.add_argument("--all", nargs="*", default=PAIRS[:1], metavar="TEACHER/STUDENT")
    parser.add_argument("--packs", nargs="*", default=packs.PAIRS, metavar="TEACHER/STUDENT")
    parser.add_argument("--distillers", nargs="+", default=[*MAIN, *OTHERS])
    parser.add_argument("--policies", nargs="+", default=MAIN_POLICIES)
    parser.add_argument("--settings", nargs="+", default=possible_settings(), choices=SETTINGS)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--output", type=Path, help="by default results/REVISION.json")
    parser.add_argument("--compare", nargs=2, type=Path, metavar="FILE", help="only compare files")
    options = parser.parse_args()
    if options.jobs < 1:
        parser.error(f"--jobs must be 1 or more, got {options.jobs}")
    return options


def planned(options: argparse.Namespace) -> Iterator[Task]:
    """Yield what to measure: a pair, a distiller, and its policies in their settings."""
    chosen = list(product(options.policies, options.settings))
    for pair, distiller in product(options.pairs, options.distillers):
        yield pair, distiller, chosen
    for pair in options.all:
        here = pair in options.pairs
        done = options.distillers if here and (PLAIN, FLOOR) in chosen else ()
        for distiller in (name for name in DISTILLERS if name not in done):
            yield pair, distiller, [(PLAIN, FLOOR)]
        done = chosen if here and ROUTED in options.distillers else [(PLAIN, FLOOR)]
        routed = [(policy, FLOOR) for policy in POLICIES]
        yield pair, ROUTED, [variant for variant in routed if variant not in done]


@memory_kept()
def tried(options: argparse.Namespace, what: Task) -> list[dict[str, Any]] | str:
    """Give the results of `measured`, or why there are none."""
    try:
        return list(measured(*what, options))
    except UserError as error:
        return str(error)


def measured(
    pair: str, distiller: str, variants: Sequence[Variant], options: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """Measure one distiller at one pair: a result per policy and setting."""
    batch = random_batch(options.batch)
    steps = {FLOOR: floor_step(pair, batch)}
    for policy, setting in variants:
        step = distillation_step(pair, distiller, policy, batch, SETTINGS[setting])
        steps[f"{policy} {setting}"] = step
    peaks = {name: peak(step) for name, step in steps.items()}
    spent = interleaved(steps, options.rounds)
    for policy, setting in variants:
        name = f"{policy} {setting}"
        ratios = [a / b for a, b in zip(spent[name], spent[FLOOR], strict=True)]
        where = (*pair.split("/"), distiller, policy, setting)
        yield dict(zip(records.KEY, where, strict=True)) | {
            "step_ms": round(median(spent[name]), 1),
            "floor_ms": round(median(spent[FLOOR]), 1),
            "ratio": round(median(ratios), 3),
            "peak_mb": round(peaks[name], 1),
        }


def line(result: dict[str, Any]) -> str:
    """Show a result."""
    pair, what = "{teacher}/{student}", "{distiller} {policy}"
    names = f"{pair.format(**result):<22}{what.format(**result):<24}{result['setting']:<20}"
    times = f"{result['step_ms']:>8.1f}{result['floor_ms']:>8.1f}{result['ratio']:>7.2f}"
    return f"{names}{times}{result['peak_mb']:>9.1f}"


if __name__ == "__main__":
    main()
