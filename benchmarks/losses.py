"""Measure every distiller's loss at the pairs of the paper: milliseconds and peak memory.

A step is the loss of a batch and its gradient by the student's features, all samples chosen, on
random features of the networks' shapes; the networks themselves do not run. Time is processor time
of one thread. The peak counts the tensors made in the step, without the features. NST is compared
with the product that its formula holds when written as a broadcast: batch x channels x channels x
positions.

    python benchmarks/losses.py --pairs resnet32x4/resnet8x4 --distillers at nst crd
    python benchmarks/losses.py --channels-last --profile 8 --distillers vid
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch
from measuring import MB, dearest, milliseconds, peak
from steps import CLASSES, IMAGES, SHAPE, random_batch
from torch import Tensor

from sakd.distillers import DISTILLERS, Pair, Side
from sakd.distillers.method import Method
from sakd.foundation.errors import UserError
from sakd.networks import NETWORKS, feature_shapes
from sakd.objectives.assembly import rebuilt_student

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
MAP = len("BCHW")


def main() -> None:
    """Measure every distiller at every pair and print a line for each."""
    options = parse()
    torch.set_num_threads(1)
    print(f"{'pair':<26}{'distiller':<11}{'ms':>9}{'peak MB':>10}")
    for pair in options.pairs:
        for name in options.distillers:
            print(f"{pair:<26}{name:<11}{line(pair, name, options)}", flush=True)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", nargs="+", default=PAIRS, metavar="TEACHER/STUDENT")
    parser.add_argument("--distillers", nargs="+", default=list(DISTILLERS))
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--channels-last", action="store_true", help="the layout of the maps")
    parser.add_argument("--profile", type=int, default=0, help="so many of the dearest operations")
    return parser.parse_args()


def line(pair: str, name: str, options: argparse.Namespace) -> str:
    """Write the figures of one distiller, or the reason why it cannot be used."""
    torch.manual_seed(0)
    facts = described(pair, name)
    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    try:
        step = loss_and_gradient(facts, name, options.batch, layout)
    except UserError as error:
        return f"{'-':>9}{'-':>10}  {error}"
    most = peak(step)
    figures = f"{milliseconds(step, options.rounds):>9.1f}{most:>10.1f}"
    if name == "nst":
        figures += f"  (a broadcast: {broadcast(facts, options.batch) / MB:.0f} MB a product)"
    return "\n    ".join([figures, *dearest(step, options.profile)])


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
    pair: Pair, name: str, size: int, layout: torch.memory_format
) -> Callable[[], object]:
    """Make a step: the loss, and its gradient by features and by the distiller's parameters."""
    distiller = DISTILLERS[name](pair).to(memory_format=layout)

    def features(shapes: tuple[tuple[int, ...], ...], side: Side) -> list[Tensor]:
        drawn = [torch.randn(size, *shape) for shape in shapes]
        drawn = [x.contiguous(memory_format=layout) if x.dim() == MAP else x for x in drawn]
        return drawn if side in distiller.unrectified else [maps.relu() for maps in drawn]

    teachers = features(pair.teacher_shapes, Side.TEACHER)
    students = [maps.requires_grad_() for maps in features(pair.student_shapes, Side.STUDENT)]
    trained = [p for p in distiller.parameters() if p.requires_grad]
    batch = random_batch(size)
    chosen = torch.ones(size, len(pair.spots), dtype=torch.bool)

    def step() -> object:
        loss = distiller.losses(students, teachers, batch, chosen)
        return torch.autograd.grad(loss, [*students, *trained], allow_unused=True)

    return step


def broadcast(pair: Pair, size: int) -> int:
    """Count the bytes of the largest product of channel maps over all pairs of channels."""
    shapes = zip(pair.student_shapes, pair.teacher_shapes, strict=True)
    sizes = [max(s[0], t[0]) ** 2 * min(s[1] * s[2], t[1] * t[2]) * size * 4 for s, t in shapes]
    return max(sizes)


if __name__ == "__main__":
    main()
