"""Time training steps of distillers, as ratios to a floor, in one run.

The floor is the least that any distillation needs: the teacher's forward pass without gradient,
and the student's forward, backward and update on cross-entropy. Rounds are interleaved, so a drift
of the machine's speed affects all lines alike; quote the median ratio. One thread of a CPU is timed
by its processor time, so that other programs count little.

    python benchmarks/step.py --pair wrn_40_2/wrn_16_2 --distillers kd fitnet at sp rkd --threads 1
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import torch
from torch.nn.functional import cross_entropy

from sakd.data import Batch
from sakd.foundation.machine import resolve_device
from sakd.networks import NETWORKS
from sakd.objectives import DataFacts, Objective, distil
from sakd.training import Run

CLASSES, SHAPE = 100, (3, 32, 32)
Step = Callable[[], None]


def main() -> None:
    """Time every line and print the ratios."""
    options = parse()
    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    device = resolve_device(options.device)
    labels = torch.randint(CLASSES, (options.batch,))
    images = torch.randn(options.batch, *SHAPE)
    batch = Batch(images, labels, torch.arange(options.batch), 0)
    batch = Batch(*(t.to(device) for t in batch[:3]), batch.seed)
    steps = {"floor": floor(options.pair, batch, device)}
    for distiller in options.distillers:
        for policy in options.policies:
            steps[f"{distiller} {policy}"] = distillation(options.pair, distiller, policy, batch)
    report(steps, measure(steps, options.rounds, device))


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pair", default="wrn_40_2/wrn_16_2")
    parser.add_argument("--distillers", nargs="+", default=["kd", "fitnet", "at", "sp", "rkd"])
    parser.add_argument("--policies", nargs="+", default=["always", "adaptive"])
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    return parser.parse_args()


def floor(pair: str, batch: Batch, device: torch.device) -> Step:
    """Make the step of the floor: teacher forward, student step."""
    teacher, student = (NETWORKS[name](CLASSES).to(device) for name in pair.split("/"))
    teacher.eval()
    optimiser = torch.optim.SGD(student.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)

    def step() -> None:
        with torch.no_grad():
            teacher(batch.images)
        loss = cross_entropy(student(batch.images), batch.labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def distillation(pair: str, distiller: str, policy: str, batch: Batch) -> Step:
    """Make a training step of an objective."""
    teacher, student = (NETWORKS[name](CLASSES) for name in pair.split("/"))
    facts = DataFacts(SHAPE, batch.labels.cpu())
    objective: Objective = distil(student, teacher, distiller, policy, facts)
    run = Run(objective.to(batch.images.device), epochs=1)
    run.begin_epoch()
    return lambda: run.step(batch)


def measure(steps: dict[str, Step], rounds: int, device: torch.device) -> dict[str, list[float]]:
    """Measure the seconds of every step in every round, without the first round."""
    alone = device.type == "cpu" and torch.get_num_threads() == 1
    clock = time.process_time if alone else time.perf_counter
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds + 1):
        for name, step in steps.items():
            started = clock()
            step()
            if device.type == "cuda":
                torch.cuda.synchronize()
            seconds[name].append(clock() - started)
    return {name: values[1:] for name, values in seconds.items()}


def report(steps: dict[str, Step], seconds: dict[str, list[float]]) -> None:
    """Print medians, and ratios to the floor of the same round."""
    print(f"{'step':<20}{'ms':>8}{'ratio':>8}{'min':>7}{'max':>7}")
    for name in steps:
        ratios = [a / b for a, b in zip(seconds[name], seconds["floor"], strict=True)]
        ms = 1000 * median(seconds[name])
        print(f"{name:<20}{ms:>8.1f}{median(ratios):>8.2f}{min(ratios):>7.2f}{max(ratios):>7.2f}")


if __name__ == "__main__":
    main()
