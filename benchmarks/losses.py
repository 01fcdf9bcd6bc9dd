"""Measure every distiller's loss at the pairs of the paper: milliseconds and peak memory.

A step is the loss of a batch and its gradient by the student's features, all samples chosen, on
random features of the networks' shapes; the networks themselves do not run. The peak counts the
tensors made in the step, without the features. NST is compared with the product that its formula
holds when written as a broadcast: batch x channels x channels x positions.

    python benchmarks/losses.py --pairs resnet32x4/resnet8x4 --distillers at nst crd
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from statistics import median

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler talks
os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")

import torch
from torch import Tensor

from sakd.data import Batch
from sakd.distillers import DISTILLERS, Pair, Side
from sakd.distillers.method import Method
from sakd.foundation.errors import UserError
from sakd.foundation.machine import resolve_device
from sakd.networks import NETWORKS, feature_shapes
from sakd.objectives.assembly import rebuilt_student

CLASSES, IMAGES, SHAPE = 100, 50_000, (3, 32, 32)
PAIRS = (
    "resnet56/resnet20",
    "resnet110/resnet32",
    "resnet32x4/resnet8x4",
    "wrn_40_2/wrn_16_2",
    "vgg13/vgg8",
    "resnet32x4/resnet32",
    "vgg13/MobileNetV2",
    "wrn_40_2/ShuffleNetV1",
    "ResNet50/vgg8",
    "ResNet50/MobileNetV2",
)
MB = 2**20


def main() -> None:
    """Measure every distiller at every pair and print a line for each."""
    options = parse()
    device = resolve_device(options.device)
    print(f"batch {options.batch}, {device}, {torch.get_num_threads()} threads")
    print(f"{'pair':<26}{'distiller':<11}{'ms':>9}{'peak MB':>10}")
    for pair in options.pairs:
        for name in options.distillers:
            print(f"{pair:<26}{name:<11}{line(pair, name, options, device)}", flush=True)


def parse() -> argparse.Namespace:
    """Read the command line."""
    known = [pair for pair in PAIRS if set(pair.split("/")) <= set(NETWORKS)]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", nargs="+", default=known)
    parser.add_argument("--distillers", nargs="+", default=list(DISTILLERS))
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="auto")
    return parser.parse_args()


def line(pair: str, name: str, options: argparse.Namespace, device: torch.device) -> str:
    """Write the figures of one distiller, or the reason why it cannot be used."""
    torch.manual_seed(0)
    facts = described(pair, name)
    try:
        step = loss_and_gradient(facts, name, options.batch, device)
    except UserError as error:
        return f"{'-':>9}{'-':>10}  {error}"
    step()
    figures = f"{milliseconds(step, options.rounds, device):>9.1f}{peak(step, device) / MB:>10.1f}"
    if name == "nst":
        figures += f"  (a broadcast: {broadcast(facts, options.batch) / MB:.0f} MB a product)"
    return figures


def described(pair: str, name: str) -> Pair:
    """Describe the networks of ``pair`` as a distiller sees them."""
    teacher, student = (NETWORKS[network](CLASSES) for network in pair.split("/"))
    student = rebuilt_student(Method.of(name), student, teacher, SHAPE)
    shapes_t, shapes_s = ([*feature_shapes(n, SHAPE), (CLASSES,)] for n in (teacher, student))
    spots = DISTILLERS[name].family.spots(student.depth, teacher.depth)
    return Pair(
        spots,
        tuple(shapes_s[spot.student] for spot in spots),
        tuple(shapes_t[spot.teacher] for spot in spots),
        torch.arange(IMAGES) % CLASSES,
    )


def loss_and_gradient(
    pair: Pair, name: str, size: int, device: torch.device
) -> Callable[[], object]:
    """Make a step: the loss, and its gradient by features and by the distiller's parameters."""
    distiller = DISTILLERS[name](pair).to(device)

    def features(shapes: tuple[tuple[int, ...], ...], side: Side) -> list[Tensor]:
        drawn = [torch.randn(size, *shape, device=device) for shape in shapes]
        return drawn if side in distiller.unrectified else [maps.relu() for maps in drawn]

    teachers = features(pair.teacher_shapes, Side.TEACHER)
    students = [maps.requires_grad_() for maps in features(pair.student_shapes, Side.STUDENT)]
    trained = [p for p in distiller.parameters() if p.requires_grad]
    index = torch.randperm(IMAGES)[:size].to(device)
    images = torch.zeros(size, *SHAPE, device=device)
    batch = Batch(images, index % CLASSES, index, 0)
    chosen = torch.ones(size, len(pair.spots), dtype=torch.bool, device=device)

    def step() -> object:
        loss = distiller.losses(students, teachers, batch, chosen)
        return torch.autograd.grad(loss, [*students, *trained])

    return step


def milliseconds(step: Callable[[], object], rounds: int, device: torch.device) -> float:
    """Time ``step``: the median of ``rounds``."""
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
    return 1000 * median(seconds)


def peak(step: Callable[[], object], device: torch.device) -> int:
    """Measure the most bytes that ``step`` holds at a time, without those held before."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step()
        return torch.cuda.max_memory_allocated() - before
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=activities, profile_memory=True) as profile:
        step()
    events = profile.profiler.kineto_results.events()
    changes = [(event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]"]
    held = most = 0
    for _, change in sorted(changes, key=lambda pair: pair[0]):
        held += change
        most = max(most, held)
    return most


def broadcast(pair: Pair, size: int) -> int:
    """Count the bytes of the largest product of channel maps over all pairs of channels."""
    shapes = zip(pair.student_shapes, pair.teacher_shapes, strict=True)
    sizes = [max(s[0], t[0]) ** 2 * min(s[1] * s[2], t[1] * t[2]) * size * 4 for s, t in shapes]
    return max(sizes)


if __name__ == "__main__":
    main()
