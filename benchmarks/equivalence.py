"""Whether a student trained in fast arithmetic is as good as one trained in exact arithmetic.

On the default study, with one teacher, trained in exact arithmetic. For each seed and method, two
students learn from the same start and the same batches, one in each arithmetic; what counts is the
difference of their test accuracies, in points. Two one-sided t-tests at 5 % call the arithmetics
equivalent where the 90 % interval of the mean difference lies within the margin: by default the
standard deviation of exact students over the seeds, so the noise of a seed. A mean over all methods
has one value a seed.

    python benchmarks/equivalence.py --distillers kd at --seeds 20 --margin 0.5
    python benchmarks/equivalence.py --device cuda  # steps from CUDA graphs
"""

from __future__ import annotations

import argparse
import copy
import math
from collections.abc import Iterable
from itertools import product

import numpy as np
import torch
from digits import STUDENT, STUDENT_EPOCHS, batches_of, few_images, network, splits, trained_teacher
from scipy.special import stdtrit
from steps import runs_bfloat16

from sakd.data import Prepared
from sakd.foundation.machine import resolve_device
from sakd.networks import StagedNetwork
from sakd.objectives import DataFacts, Distillation, Routing, distil
from sakd.study.recipe import Recipe
from sakd.tasks import CLASSIFICATION
from sakd.training import Run, pretrain, train

CONFIDENCE = 0.95  # of each of the two tests
WEIGHTS = {"at": 62.5, "sp": 100.0, "pkt": 9000.0, "ft": 20.0}  # as in conf/base
PRECISIONS = ("exact", "fast")
Accuracies = dict[tuple[str, str, str], list[float]]
"""Test accuracies in percent by distiller, policy and precision, one a seed."""


def main() -> None:
    """Train, and print a line for each method and one for all."""
    options = parse()
    torch.set_num_threads(1)
    device = resolve_device(options.device)
    if device.type == "cpu" and not runs_bfloat16():
        print("this processor has no instructions for bf16: it is slower here, but no other")
    methods = list(product(options.distillers, options.policies))
    teacher, found = trained_teacher(device), {}
    for seed in range(options.seeds):
        for key, accuracy in trained(methods, teacher, seed, options.epochs, device).items():
            found.setdefault(key, []).append(accuracy)
        print(f"seed {seed} of {options.seeds} done", flush=True)
    head = f"{'exact':>8}{'sd':>6}{'fast - exact':>14}{'90 % interval':>18}{'margin':>8}"
    print(f"{'':<20}{head}")
    for distiller, policy in methods:
        exact, fast = (np.array(found[distiller, policy, each]) for each in PRECISIONS)
        print(line(f"{distiller} {policy}", exact, fast, options.margin), flush=True)
    exact, fast = (mean_of(found, each) for each in PRECISIONS)
    print(line("all", exact, fast, options.margin))


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--distillers", nargs="+", default=["kd", "at", "sp", "rkd", "crd"])
    parser.add_argument("--policies", nargs="+", default=["always", "adaptive"])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=STUDENT_EPOCHS)
    parser.add_argument("--device", default="cpu", help="cuda takes the steps from CUDA graphs")
    parser.add_argument("--margin", type=float, help="in points; by default the noise of a seed")
    return parser.parse_args()


def trained(
    methods: Iterable[tuple[str, str]],
    teacher: StagedNetwork,
    seed: int,
    epochs: int,
    device: torch.device,
    precisions: Iterable[str] = PRECISIONS,
) -> dict[tuple[str, str, str], float]:
    """Train a student by each method in each precision, side by side; give test accuracies in %."""
    images = few_images(seed)
    stream, facts = batches_of(images, seed, device), DataFacts(images.shape, images.labels)
    settings = {
        "distillation": Distillation(weights=WEIGHTS),
        "routing": Routing(same_family_bias=0),
    }
    test = Prepared(splits().test, splits().card)
    runs, copies = {}, {precision: copy.deepcopy(teacher) for precision in precisions}
    for (distiller, policy), precision in product(methods, precisions):
        start = network(STUDENT, seed)
        objective = distil(start, copies[precision], distiller, policy, facts, **settings)
        objective.to(device)
        pretrain(objective, stream)
        arithmetic = Recipe(precision=precision).arithmetic
        runs[distiller, policy, precision] = Run(objective, epochs=epochs, precision=arithmetic)
    train(list(runs.values()), stream, graph=True)
    for run in runs.values():
        if run.failure is not None:
            raise run.failure
    networks = {key: run.objective.network for key, run in runs.items()}
    return {
        key: 100 * CLASSIFICATION.measures(student, test, device)["top1"]
        for key, student in networks.items()
    }


def mean_of(found: Accuracies, precision: str) -> np.ndarray:
    """Average the accuracies over all methods, seed by seed."""
    return np.mean([values for key, values in found.items() if key[2] == precision], axis=0)


def line(name: str, exact: np.ndarray, fast: np.ndarray, margin: float | None) -> str:
    """Describe the difference of accuracies (seeds,) and the verdict."""
    difference, noise = fast - exact, float(exact.std(ddof=1))
    limit = noise if margin is None else margin
    error = float(difference.std(ddof=1)) / math.sqrt(len(difference))
    half = float(stdtrit(len(difference) - 1, CONFIDENCE)) * error
    low, high = difference.mean() - half, difference.mean() + half
    verdict = "equivalent" if -limit < low and high < limit else "not shown"
    interval = f"[{low:+.2f}, {high:+.2f}]"
    numbers = f"{exact.mean():>8.2f}{noise:>6.2f}{difference.mean():>+14.2f}{interval:>18}"
    return f"{name:<20}{numbers}{limit:>8.2f}  {verdict}"


if __name__ == "__main__":
    main()
