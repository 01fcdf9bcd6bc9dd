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
FACTS = DataFacts(SHAPE, torch.arange(IMAGES) % CLASSES)
Step = Callable[[], object]


FLOOR = "fp32 contiguous"
SETTINGS = {
    FLOOR: EXACT,
    "fp32 channels_last": Precision(channels_last=True),
    "bf16 channels_last": Precision(torch.bfloat16, channels_last=True),
}


def runs_bfloat16() -> bool:
    """Tell whether the processor has instructions for bf16."""
    found = torch.cpu.get_capabilities().items()
    return any(present is True and "bf16" in name for name, present in found)


def possible_settings() -> list[str]:
    """The names of the settings, without bf16 where the processor has no instructions for it."""
    return [name for name, s in SETTINGS.items() if s.autocast is None or runs_bfloat16()]


def random_batch(size: int) -> Batch:
    """Make normal noise as images (B, 3, 32, 32), first of the training set and of those aside."""
    index = torch.arange(size)
    batch = Batch(torch.randn(size, *SHAPE), index % CLASSES, index, 0)
    return batch._replace(aside=batch)


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


def distillation_run(
    pair: str,
    distiller: str,
    policy: str,
    *,
    precision: Precision = EXACT,
    teacher: StagedNetwork | None = None,
) -> tuple[Run, StagedNetwork]:
    """Make a run in its first epoch and phase, and its teacher if none is given; 50,000 images."""
    fresh, student = networks(pair)
    objective = distil(student, teacher or fresh, distiller, policy, FACTS)
    precision.lay_out(objective)
    run = Run(objective, epochs=240, precision=precision)
    run.objective.train()
    teacher = teacher or fresh
    with torch.no_grad(), precision.applied(torch.device("cpu")):
        teacher(precision.seen(random_batch(1)).images)  # what is made once is no part of a step
    return run, teacher


def distillation_step(
    pair: str, distiller: str, policy: str, batch: Batch, precision: Precision
) -> Step:
    """Make a step of `sakd.training.fit`."""
    run, _teacher = distillation_run(pair, distiller, policy, precision=precision)
    batch = precision.seen(batch)
    return lambda: run.step(batch)
