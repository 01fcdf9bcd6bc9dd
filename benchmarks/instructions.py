"""Whether students are as good on a processor without the newest instructions.

Once with all instructions of this processor and once with the oldest that oneDNN and ATen know, by
their own settings: a teacher, and from the same starts and on the same batches students of several
methods. Digits differ from the first step on, and accuracies after some epochs; what counts is the
difference of test accuracies, in points. It is judged as in `benchmarks/equivalence.py`, by the
noise of a seed, and the exit status is 1 where the mean over all methods is not equivalent.

    python benchmarks/instructions.py --distillers kd --seeds 10
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context

import numpy as np
import torch
from digits import CPU, STUDENT_EPOCHS, trained_teacher
from equivalence import line, trained

SETS: dict[str, dict[str, str]] = {
    "all": {},
    "oldest": {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"},
}


def main() -> int:
    """Train in a process of each kind; print a line for each method and one for all."""
    options = parse()
    found = {name: elsewhere(name, options) for name in SETS}
    print(f"{'':<20}{'all':>8}{'sd':>6}{'oldest - all':>14}{'90 % interval':>18}{'margin':>8}")
    for method in found["all"]:
        values = (np.array(found[name][method]) for name in SETS)
        print(line(method, *values, options.margin))
    means = (np.mean(list(found[name].values()), axis=0) for name in SETS)
    verdict = line("all", *means, options.margin)
    print(verdict)
    return int(not verdict.endswith("equivalent"))


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--distillers", nargs="+", default=["kd", "at"])
    parser.add_argument("--policies", nargs="+", default=["always", "adaptive"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=STUDENT_EPOCHS)
    parser.add_argument("--margin", type=float, help="in points; by default the noise of a seed")
    return parser.parse_args()


def elsewhere(name: str, options: argparse.Namespace) -> dict[str, list[float]]:
    """Find the `accuracies` in a new process, with the instructions called ``name``."""
    os.environ |= SETS[name]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(accuracies, options).result()


def accuracies(options: argparse.Namespace) -> dict[str, list[float]]:
    """Train a teacher and its students; give test accuracies in percent, one a seed."""
    torch.set_num_threads(1)
    teacher = trained_teacher()
    found: dict[str, list[float]] = {}
    for seed in range(options.seeds):
        methods = product(options.distillers, options.policies)
        of_seed = trained(methods, teacher, seed, options.epochs, CPU, precisions=("exact",))
        for (distiller, policy, _), accuracy in of_seed.items():
            found.setdefault(f"{distiller} {policy}", []).append(accuracy)
    capability = torch.backends.cpu.get_cpu_capability()
    print(f"{capability}: {options.seeds} seeds done", file=sys.stderr, flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
