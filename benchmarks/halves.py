"""Route among two teachers that each know half of the classes, and compare with simpler ways.

Two resnet20 learn all digits, but each with wrong labels on the classes of one half. A resnet8
learns few digits with right labels: alone, from one of the teachers, from both by several systems,
and from both as policies choose among them. It prints test accuracies of all seeds, and for
policies the part of the decisions on images of either half that fall to either teacher.

    python benchmarks/halves.py
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from digits import STUDENT, TEACHER, batches_of, few_images, network, splits

from sakd.data import ImageSet, Prepared
from sakd.evidence import of_seeds
from sakd.foundation.randomness import generator, seeded
from sakd.networks import StagedNetwork
from sakd.objectives import DataFacts, Distillation, Objective, Routing, Supervised, distil
from sakd.routing import POLICIES
from sakd.systems import SYSTEMS, Situation
from sakd.tasks import CLASSIFICATION
from sakd.training import fit
from sakd.training.tally import RATE, Tally

CLASSES, HALF = 10, 5
LEARNER = Distillation(weights={"at": 62.5})  # as in conf/base
ROUTER = Routing(same_family_bias=0.0)
ROUTED = ("always", "random", "random_matched", "adaptive")


def main() -> None:
    """Train the teachers, then students of every method and seed; print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(5)))
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--teacher-epochs", type=int, default=10)
    parser.add_argument("--methods", nargs="+", default=["kd", "at"])
    parser.add_argument("--systems", nargs="+", default=["ebkd", "camkd", "aekd"])
    options = parser.parse_args()
    torch.set_num_threads(1)  # networks this small gain nothing from more
    teachers = tuple(trained_teacher(half, options.teacher_epochs) for half in (0, 1))
    for number, teacher in enumerate(teachers, start=1):
        lower, upper = (100 * accuracy(teacher, half) for half in (0, 1))
        print(f"teacher {number}: {lower:.1f} % of digits 0 to 4, {upper:.1f} % of 5 to 9")
    found: dict[str, list[float]] = {}
    rates: dict[str, list[pd.Series]] = {}
    for seed in options.seeds:
        for name, objective in ways(teachers, seed, options):
            top, chosen = trained(objective, seed, options.epochs)
            found.setdefault(name, []).append(top)
            print(f"seed {seed}, {name}: {100 * top:.2f}", flush=True)
            if chosen is not None:
                rates.setdefault(name, []).append(chosen)
    compare(found, options.methods)
    for name, each in rates.items():
        print(f"\n{name}: rates by spot and teacher, of images of digits 0 to 4 and 5 to 9")
        print(pd.concat(each).groupby(level=[0, 1]).mean().unstack().round(3).to_string())


def compare(found: dict[str, list[float]], methods: list[str]) -> None:
    """Print the means over seeds, and what the trained policy differs from, paired over seeds."""
    points = {name: 100 * np.array(tops) for name, tops in found.items()}
    for name, tops in points.items():
        print(f"{name:<26}{tops.mean():6.2f} +- {tops.std(ddof=1):.2f}")
    for method in methods:
        ours = points.pop(f"among, {method}, adaptive")
        for name, tops in points.items():
            estimate = of_seeds(ours - tops)
            low, high = estimate.interval()
            print(
                f"{method}, adaptive - {name:<26}{estimate.mean:+6.2f} ({low:+.2f} to {high:+.2f})"
            )


def halves(labels: torch.Tensor) -> torch.Tensor:
    """Give the half, 0 or 1, of the classes of ``labels`` (N,)."""
    return labels // HALF


def trained_teacher(half: int, epochs: int) -> StagedNetwork:
    """Train a teacher with wrong labels on all images of the other half."""
    images, teacher = splits().train, network(TEACHER, half)
    source = generator(half, "wrong labels")
    shift = torch.randint(1, CLASSES, images.labels.shape, generator=source)
    wrong = (images.labels + shift) % CLASSES
    labels = torch.where(halves(images.labels) == half, images.labels, wrong)
    fit(Supervised(teacher), batches_of(images.relabelled(labels), half), epochs=epochs)
    return teacher


def accuracy(network: StagedNetwork, half: int) -> float:
    """Measure ``network`` on the test images of a half of the classes."""
    test = splits().test
    own = test.subset(torch.nonzero(halves(test.labels) == half)[:, 0])
    return CLASSIFICATION.measures(network, Prepared(own, splits().card), "cpu")["top1"]


def ways(
    teachers: tuple[StagedNetwork, ...], seed: int, options: argparse.Namespace
) -> Iterator[tuple[str, Objective]]:
    """Yield every way to train a student of ``seed``, by its name."""
    images = few_images(seed)
    yield "alone", Supervised(student(seed))
    for method in options.methods:
        for number, teacher in enumerate(teachers, start=1):
            with seeded(seed, "objective"):
                facts = DataFacts(images.shape, images.labels)
                made = distil(student(seed), teacher, method, "always", facts, distillation=LEARNER)
            yield f"{method}, teacher {number}", made
    for name in options.systems:
        yield name, system(name, teachers, seed, images, "always")
    for method in options.methods:
        for policy in ROUTED:
            routed = system("among", teachers, seed, images, policy, method=method)
            yield f"among, {method}, {policy}", routed


def student(seed: int) -> StagedNetwork:
    """Build the student of ``seed``."""
    return network(STUDENT, seed)


def system(
    name: str,
    teachers: tuple[StagedNetwork, ...],
    seed: int,
    images: ImageSet,
    policy: str,
    **settings: str,
) -> Objective:
    """Build a system of both teachers."""
    kind = SYSTEMS[name]

    def fresh(number: int, _partner: bool) -> StagedNetwork:
        return student(1000 * (seed + 1) + number)

    with seeded(seed, "objective"):
        situation = Situation(
            student=student(seed),
            partners=teachers,
            data=DataFacts(images.shape, images.labels),
            fresh=fresh,
            distillation=LEARNER,
            policy=POLICIES[policy],
            routing=ROUTER,
        )
        return kind.of(situation, kind.settings(**settings))


def trained(objective: Objective, seed: int, epochs: int) -> tuple[float, pd.Series | None]:
    """Train ``objective``; give the test accuracy, and the rates by spot, teacher and half."""
    images = few_images(seed)
    tally = Tally(objective, len(images))
    fit(objective, batches_of(images, seed), epochs=epochs)
    test = Prepared(splits().test, splits().card)
    top = CLASSIFICATION.measures(objective.network, test, "cpu")["top1"]
    if not tally.counts:
        return top, None
    frame = tally.frame(images.labels)
    shown = frame[[column for column in frame if column.startswith(RATE)]]
    by_half = shown.rename(columns=lambda column: column.removeprefix(RATE))
    return top, by_half.groupby(halves(images.labels).numpy()).mean().unstack()


if __name__ == "__main__":
    main()
