"""Try every classification network of torchvision as teacher and as student.

    python benchmarks/torchvision_models.py            # all
    python benchmarks/torchvision_models.py resnet18   # some

Each is cut into stages, compared with the uncut network at every cut, and takes one step of
spot-adaptive distillation with a resnet8 of the zoo, once in either role: by `at`, or where it has
tokens by `sp`. Weights and images are random; images have 64 pixels unless a network needs more.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Iterator

import torch
from torchvision import models

from sakd.data import Batch
from sakd.foundation.errors import UserError, require
from sakd.networks import StagedNetwork, build_network
from sakd.objectives import DataFacts, Optimisation, distil
from sakd.training import Run

CLASSES, BATCH = 5, 4
SIZES = {"inception_v3": 80, "maxvit_t": 224, "vit_h_14": 70}
OTHERWISE = 64
PARTNER = "resnet8"


def main() -> None:
    """Print a line per network."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("names", nargs="*", help="of torchvision; all without any")
    names = arguments.parse_args().names or models.list_models(module=models)
    failed = 0
    for name in names:
        torch.manual_seed(0)
        started = time.monotonic()
        try:
            result = " ".join(outcomes(name, SIZES.get(name, OTHERWISE)))
        except (UserError, RuntimeError) as error:
            result, failed = f"FAILED {type(error).__name__}: {error}", failed + 1
        print(f"{name:20} {result} {time.monotonic() - started:.1f} s", flush=True)
        gc.collect()
    print(f"{len(names) - failed} of {len(names)} pass")


def outcomes(name: str, size: int) -> Iterator[str]:
    """Try one network, and yield the findings part by part."""
    full = f"torchvision:{name}" + (f"(image_size={size})" if name.startswith("vit") else "")
    network = build_network(full, num_classes=CLASSES, image_shape=(3, size, size))
    yield f"{size:3} px, {sum(p.numel() for p in network.parameters()) / 1e6:5.1f} M,"
    cut_anywhere(network, size)
    yield f"{network.depth + 2} cuts,"
    partner = build_network(PARTNER, num_classes=CLASSES, image_shape=(3, size, size))
    yield f"student by {step(network, partner, size)},"
    yield f"teacher by {step(partner, network, size)},"


@torch.no_grad()
def cut_anywhere(network: StagedNetwork, size: int) -> None:
    """Check that a forward pass in two parts equals the whole, at every cut."""
    network.eval()
    images = torch.randn(2, 3, size, size)
    features, logits = network.extract(images)
    require(torch.equal(network(images), logits), "the trace is not the forward pass")
    for k, feature in enumerate((images, *features)):
        require(torch.equal(network.run(feature, k), logits), f"cut {k} changes the logits")


def step(student: StagedNetwork, teacher: StagedNetwork, size: int) -> str:
    """Take a step of spot-adaptive distillation; give the name of the distiller."""
    student.requires_grad_(True)  # it may have been a teacher before
    data = DataFacts((3, size, size), torch.arange(20) % CLASSES)
    try:
        distiller = "at"
        problem = distil(student, teacher, distiller, "adaptive", data)
    except UserError:
        distiller = "sp"
        problem = distil(student, teacher, distiller, "adaptive", data)
    labels = torch.arange(BATCH) % CLASSES
    batch = Batch(torch.randn(BATCH, 3, size, size), labels, labels, 0)
    recipes = {player: Optimisation(lr=1e-3) for player in problem.players()}
    run = Run(problem, epochs=1, optimisation=recipes)
    run.objective.train()
    before = [parameter.detach().clone() for parameter in student.parameters()]
    run.step(batch)
    now = list(student.parameters())
    require(all(p.isfinite().all() for p in now), "weights are no longer finite")
    same = [torch.equal(old, new) for old, new in zip(before, now, strict=True)]
    require(not all(same), "the student learns nothing")
    return distiller


if __name__ == "__main__":
    main()
