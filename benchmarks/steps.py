"""Training steps to measure: those of a distiller, and the floor that none can do without."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn.functional import cross_entropy

from sakd.data import Batch
from sakd.networks import NETWORKS, StagedNetwork
from sakd.objectives import DataFacts, distil
from sakd.training import Run
from sakd.training.precision import EXACT, Precision

CLASSES, IMAGES, SHAPE = 100, 50_000, (3, 32, 32)
Step = Callable[[], object]


FLOOR = "fp32 contiguous"
SETTINGS = {
    FLOOR: EXACT,
    "fp32 channels_last": Precision(channels_last=True),
    "bf16 channels_last": Precision(torch.bfloat16, channels_last=True),
}


def possible_settings() -> list[str]:
    """The names of the settings, without bf16 where the processor has no instructions for it."""
    found = torch.cpu.get_capabilities().items()
    bf16 = any(present is True and "bf16" in name for name, present in found)
    return [name for name, s in SETTINGS.items() if bf16 or s.autocast is None]


def random_batch(size: int) -> Batch:
    """Make normal noise as images (B, 3, 32, 32), which are the first of the training set."""
    index = torch.arange(size)
    return Batch(torch.randn(size, *SHAPE), index % CLASSES, index, 0)


def networks(pair: str) -> tuple[StagedNetwork, StagedNetwork]:
    """Build teacher and student of a ``pair`` TEACHER/STUDENT, with the same weights each time."""
    torch.manual_seed(0)
    teacher, student = (NETWORKS[name](CLASSES) for name in pair.split("/"))
    return teacher, student


def floor_step(pair: str, batch: Batch) -> Step:
    """Forward the teacher without gradient, and update the student by cross-entropy."""
    teacher, student = networks(pair)
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


def distillation_step(
    pair: str, distiller: str, policy: str, batch: Batch, precision: Precision
) -> Step:
    """Make a step of `sakd.training.fit`; the training set has 50,000 images."""
    teacher, student = networks(pair)
    facts = DataFacts(SHAPE, torch.arange(IMAGES) % CLASSES)
    objective = distil(student, teacher, distiller, policy, facts)
    precision.lay_out(objective)
    batch = precision.seen(batch)
    run = Run(objective, epochs=1, precision=precision)
    run.begin_epoch()
    return lambda: run.step(batch)
