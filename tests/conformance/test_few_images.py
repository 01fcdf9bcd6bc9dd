"""Learning from few images equals the authors' code: solutions, merged weights, features."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from conformance.comparison import Comparison, Golden, below, golden
from conformance.systems.cases import nobody
from sakd.data import Batch
from sakd.networks import Chain
from sakd.networks.pruned import Cut
from sakd.objectives import DataFacts
from sakd.systems import Situation
from sakd.systems.fskd import FSKD, FSKDSettings, rows
from sakd.systems.parts.least_squares import LeastSquares

SOLVED = 1e-5
"""The authors solve in float32."""

CLASSES = 5


@dataclass
class Images:
    """A stream of one batch."""

    images: Tensor

    def epoch(self, _number: int, _start: int = 0) -> Iterator[Batch]:
        """Yield the images, with labels that nobody reads."""
        labels = torch.full((len(self.images),), -1)
        yield Batch(self.images, labels, torch.arange(len(self.images)), 0)


def network(first: Tensor, second: Tensor) -> Chain:
    """Chain two convolutions with the given weights, rectifiers and a pooling between."""
    convolutions = []
    for weight in (first, second):
        outputs, inputs = weight.shape[:2]
        made = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        made.weight.data = weight.clone()
        convolutions.append(made)
    stages = {
        "stem": nn.Sequential(convolutions[0], nn.ReLU()),
        "stage1": nn.Sequential(nn.MaxPool2d(2), convolutions[1], nn.ReLU()),
        "embedding": nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        "head": nn.Linear(len(second), CLASSES),
    }
    return Chain(stages, family="vgg").eval()


def system_of(case: Golden) -> FSKD:
    """Build the system of the case, which leaves the channels of its masks."""
    teacher, student = (
        network(case[f"{name}_conv0"], case[f"{name}_conv1"]) for name in ("origin", "pruned")
    )
    data = DataFacts(tuple(case["images"].shape[1:]), torch.arange(CLASSES))
    system = FSKD.of(Situation(student, (teacher,), data, nobody), FSKDSettings())
    first, second = (case[f"mask{number}"].nonzero()[:, 0] for number in (0, 1))
    every = torch.arange(CLASSES)
    system.cuts = [
        Cut("stem.0", torch.arange(3), first),
        Cut("stage1.1", first, second),
        Cut("head", second, every),
    ]
    return system


def test_the_solution_is_that_of_the_authors(equal: Callable[[Comparison], None]) -> None:
    case, found = below("vgg/", golden("systems/fskd")), Comparison("fskd vgg")
    system, stream = system_of(case), Images(case["images"])
    for number, name in enumerate(("stem.0", "stage1.1")):
        pruned, kept = network(case["pruned_conv0"], case["pruned_conv1"]), system.cuts[number]
        if number:
            pruned.get_submodule("stem.0").weight.data = case["absorbed_conv0"]
        problem = LeastSquares(len(kept.outputs))
        with torch.no_grad():
            theirs = rows(system.teacher, name, case["images"])[:, kept.outputs]
            problem.add(rows(pruned, name, case["images"]), theirs)
        mixing, _ = problem.solve()
        found.check("Q", name, mixing, case[f"pointwise{number}"][:, :, 0, 0], SOLVED)
    given: Any = stream
    system.begin_epoch(0, 1, given)
    student = system.network
    for number, name in enumerate(("stem.0", "stage1.1")):
        weight = student.get_parameter(f"{name}.weight")
        found.check("merged", name, weight, case[f"absorbed_conv{number}"], SOLVED)
    features = student.extract(case["images"]).features[1]
    found.check("features", "after", features, case["features_after"], SOLVED)
    whole = system.teacher.extract(case["images"]).features[1]
    found.check("features", "origin", whole, case["features_origin"], SOLVED)
    equal(found)
