"""Measure what a training by every system costs, on digits: a resnet8 that learns from 200 images.

It prints seconds of processor time, of one thread, for as many steps as the default study takes,
and how many parameters are trained; the mean of several rounds, in which all take turns. A teacher
is a resnet20, and with several the second is a vgg8, or the student's own network where a system
asks for that; teachers are not trained, as their weights cost nothing. Systems of pruned students
and of teachers of different classes are left out.

    python benchmarks/systems.py
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from statistics import mean

import torch
from digits import STUDENT, TEACHER, batches_of, few_images, network

from sakd.foundation.randomness import seeded
from sakd.networks import StagedNetwork
from sakd.objectives import DataFacts, Objective, Supervised, distil
from sakd.systems import SYSTEMS, Partner, Situation, System
from sakd.training import fit

EPOCHS = 20
"""Those of a student in the default study."""
PARTNERS: Mapping[Partner, tuple[str, ...]] = {
    Partner.TEACHER: (TEACHER,),
    Partner.TEACHERS: (TEACHER, "vgg8"),
    Partner.PEERS: (TEACHER,),
    Partner.NONE: (),
}


def main() -> None:
    """Train by every system for a part of the epochs, in turns; print means over rounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(1)  # networks this small gain nothing from more
    names = ["alone", "kd", *(name for name, kind in SYSTEMS.items() if fits(kind))]
    spent: dict[str, list[float]] = {name: [] for name in names}
    seconds("kd", 1)  # the first training pays for what torch sets up
    for _ in range(options.rounds):
        for name, each in spent.items():
            each.append(seconds(name, options.epochs) * EPOCHS / options.epochs)
    for name, each in spent.items():
        print(f"{name:<20}{mean(each):6.1f} s {trained(objective_of(name, EPOCHS)):>9,}")


def fits(kind: type[System]) -> bool:
    """Tell whether a system is measured here."""
    return kind.partner in PARTNERS and not kind.pruned


def seconds(name: str, epochs: int) -> float:
    """Train for ``epochs``; give the seconds of processor time."""
    objective, images = objective_of(name, epochs), batches_of(few_images())
    started = time.process_time()
    fit(objective, images, epochs=epochs)
    return time.process_time() - started


def trained(objective: Objective) -> int:
    """Count the parameters of all players, each once."""
    players = objective.players().values()
    each = {id(p): p.numel() for player in players for p in player.parameters}
    return sum(each.values())


def objective_of(name: str, epochs: int) -> Objective:
    """Build what trains the student by a system, alone, or by kd."""
    student, images = network(STUDENT), few_images()
    data = DataFacts(images.shape, images.labels)
    if name == "alone":
        return Supervised(student)
    if name == "kd":
        return distil(student, network(TEACHER), "kd", "always", data)
    kind = SYSTEMS[name]
    partners = (STUDENT,) if kind.same_network else PARTNERS[kind.partner]

    def fresh(number: int, partner: bool) -> StagedNetwork:
        return network(partners[0] if partner else STUDENT, number)

    with seeded(0, "objective"):
        others = tuple(network(each) for each in partners)
        return kind.of(Situation(student, others, data, fresh, epochs=epochs), kind.settings())


if __name__ == "__main__":
    main()
