"""Measure the saving of UNIX: a plain step, and one that chooses and mixes first.

Steps are taken in turns, by the processor time of one thread; the time of UNIX over the other is
the median over the rounds, with the lowest and the highest. The authors' estimate of the share is
k / B + 1 / (r + 2), r the operations of the teacher's forward pass over those of the student's. It
takes a backward pass for one forward pass. Counted operations (of products and convolutions) have
two, which makes k / B + 1 / (r + 3).

    python benchmarks/unix.py --pairs wrn_40_2/wrn_16_2 --rounds 9
"""

from __future__ import annotations

import argparse
from statistics import median

import torch
from device import work_of
from measuring import Step, interleaved
from steps import FACTS, networks, random_batch

from sakd.data import Batch
from sakd.objectives import Distillation, Mixing, distil
from sakd.training import Run
from sakd.training.memory import memory_kept

PAIRS = ("wrn_40_2/wrn_16_2", "resnet32x4/resnet8x4")
OBJECTIVES = ("distillation", "unix")


def main() -> None:
    """Measure every pair, and print a line for each."""
    options = parse()
    torch.set_num_threads(1)
    columns = ("plain/s", "UNIX/s", "time", "range", "operations", "estimate", "r")
    print(f"{'pair':<24}" + "".join(f"{column:>13}" for column in columns))
    for pair in options.pairs:
        print(line(pair, options), flush=True)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", nargs="+", default=PAIRS, metavar="TEACHER/STUDENT")
    parser.add_argument("--distiller", default="kd")
    parser.add_argument("--policy", default="always")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    return parser.parse_args()


@memory_kept()
def line(pair: str, options: argparse.Namespace) -> str:
    """Measure a pair, and write its figures."""
    batch = random_batch(options.batch)
    steps = {name: step_of(pair, name, batch, options) for name in OBJECTIVES}
    plain, mixed = (work_of(step).flops for step in steps.values())
    teacher, student = networks(pair)
    with torch.no_grad():
        forward = [work_of(lambda n=n: n.eval()(batch.images)).flops for n in (teacher, student)]
    spent = interleaved(steps, options.rounds)
    ratios = [b / a for a, b in zip(*spent.values(), strict=True)]
    low, high = min(ratios), max(ratios)
    r = forward[0] / forward[1]
    rates = "".join(f"{1000 / median(each):>13.2f}" for each in spent.values())
    share = f"{median(ratios):>13.3f}{f'{low:.2f} to {high:.2f}':>13}{mixed / plain:>13.3f}"
    return f"{pair:<24}{rates}{share}{Mixing.share + 1 / (r + 2):>13.3f}{r:>13.2f}"


def step_of(pair: str, objective: str, batch: Batch, options: argparse.Namespace) -> Step:
    """Make a step of `sakd.training.fit` with the ``objective`` of that name."""
    teacher, student = networks(pair)
    how = Distillation(objective)
    made = distil(student, teacher, options.distiller, options.policy, FACTS, distillation=how)
    run = Run(made, epochs=1)
    run.objective.train()
    return lambda: run.step(batch)


if __name__ == "__main__":
    main()
