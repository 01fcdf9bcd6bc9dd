"""Measure what an epoch spends besides its steps: data, validation, weights and checkpoints, logs.

A pack of ten distillers, each always and adaptive, as on CIFAR-100 (45,000 images to learn from,
5,000 to validate on, random ones of their size; wrn_40_2/wrn_16_2) and as in the default study (200
and 359 digits; resnet20/resnet8). Each part is measured by itself and multiplied by how often an
epoch does it; of steps a few are timed. Every epoch counts as the best so far, whose weights are
kept, and a checkpoint is due once a minute. Processor time of one thread.

    python benchmarks/epoch.py --studies digits
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import digits
import torch
from measuring import milliseconds
from packs import DISTILLERS, POLICIES
from safetensors.torch import save_file

from sakd.data import Augment, BatchStream, ImageSet, Prepared
from sakd.networks import NETWORKS
from sakd.objectives import DataFacts, answer, distil
from sakd.study.store import CellStore
from sakd.tasks import CLASSIFICATION
from sakd.training import Run
from sakd.training.memory import memory_kept
from sakd.training.progress import describe

ROUNDS = 5
CHECKPOINT_MS = 60_000.0


@dataclass(frozen=True)
class Study:
    """What a row of cells learns from."""

    teacher: str
    student: str
    train: ImageSet
    val: ImageSet
    augment: Augment

    def pack(self) -> list[Run]:
        """Make the runs, in their first epoch; they share a teacher."""
        facts = DataFacts(self.train.shape, self.train.labels)
        classes, channels = int(self.train.labels.max()) + 1, self.train.shape[0]
        torch.manual_seed(0)
        teacher = NETWORKS[self.teacher](classes, in_channels=channels)
        runs = []
        for distiller, policy in product(DISTILLERS, POLICIES):
            student = NETWORKS[self.student](classes, in_channels=channels)
            runs.append(Run(distil(student, teacher, distiller, policy, facts), epochs=1))
            runs[-1].objective.train()
        return runs


def cifar() -> Study:
    """Random images in the numbers and the shape of CIFAR-100."""
    images = torch.randint(256, (50_000, 3, 32, 32), dtype=torch.uint8)
    labels = torch.arange(len(images)) % 100
    train, val = (
        ImageSet(images[part], labels[part]) for part in (slice(45_000), slice(45_000, None))
    )
    return Study("wrn_40_2", "wrn_16_2", train, val, Augment(crop_padding=4, flip=True))


def few_digits() -> Study:
    """The digits of the default study."""
    val = cast("ImageSet", digits.splits().val)
    return Study(digits.TEACHER, digits.STUDENT, digits.few_images(), val, Augment())


STUDIES: dict[str, Callable[[], Study]] = {"cifar100": cifar, "digits": few_digits}


def main() -> None:
    """Measure, and print a line for each part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", nargs="+", default=list(STUDIES), choices=STUDIES)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in options.studies:
        parts = measured(STUDIES[name]())
        total = sum(parts.values())
        cells = len(DISTILLERS) * len(POLICIES)
        print(f"{name}: an epoch of {cells} cells takes {total / 1000:.1f} s")
        for part, spent in parts.items():
            print(f"  {part:<24}{spent / 1000:>9.2f} s{spent / total:>8.2%}")
        print(f"  {'all beside steps':<24}{'':>11}{1 - parts['steps'] / total:>8.2%}", flush=True)


@memory_kept()
def measured(study: Study) -> dict[str, float]:
    """Measure the parts of an epoch of a pack, in milliseconds."""
    runs = study.pack()
    card = replace(digits.splits().card, height=study.train.shape[1], width=study.train.shape[2])
    if study.train.shape[0] != card.channels:
        card = replace(card, channels=3, mean=(0.5,) * 3, std=(0.25,) * 3)
    stream = BatchStream(
        study.train, card.mean, card.std, batch_size=64, seed=0, augment=study.augment
    )
    batches = list(islice(stream.epoch(0), 3))

    def step() -> None:
        outputs = answer([run.objective.request() for run in runs], batches[0].images)
        for run, given in zip(runs, outputs, strict=True):
            run.step(batches[0], given)

    def draw() -> None:
        list(islice(stream.epoch(1), 3))

    validate = partial(
        CLASSIFICATION.measures, runs[0].objective.network, Prepared(study.val, card)
    )
    step()
    steps = len(stream) * milliseconds(step, ROUNDS)
    data = len(stream) / 3 * milliseconds(draw, ROUNDS)
    with TemporaryDirectory() as folder:
        entry = CellStore(Path(folder)).entry("row", "cell", "key")

        def checkpoint() -> None:
            entry.checkpoints.write(runs[1].state() | {"key": "key", "seconds": 0.0})

        def keep() -> None:
            state = runs[1].objective.network.state_dict()
            save_file({k: v.clone() for k, v in state.items()}, Path(folder) / "best.safetensors")

        validation = len(runs) * milliseconds(validate, ROUNDS)
        weights = len(runs) * milliseconds(keep, ROUNDS)
        checkpoints = len(runs) * steps / CHECKPOINT_MS * milliseconds(checkpoint, ROUNDS)
    runs[1].end_epoch()
    logs = len(runs) * milliseconds(partial(describe, runs[1]), ROUNDS)
    return {
        "steps": steps,
        "data": data,
        "validation": validation,
        "weights, each epoch": weights,
        "checkpoints": checkpoints,
        "logs": logs,
    }


if __name__ == "__main__":
    main()
