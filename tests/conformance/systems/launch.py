"""Compare rocket launching with its authors' code."""

from __future__ import annotations

import re

import torch
from torch import Tensor, nn

from conformance.comparison import Comparison
from conformance.systems.with_others import (
    LOSS,
    OFFSET,
    batch_of,
    case_of,
    check,
    fill,
    network,
)
from sakd.data import Batch
from sakd.networks import Chain, StagedNetwork
from sakd.networks.zoo.blocks import GlobalAveragePool, chain, conv3x3
from sakd.networks.zoo.wide_resnet import PreActivationBlock
from sakd.systems.rocket import Rocket
from sakd.tasks import CLASSIFICATION


def compare_hint() -> Comparison:
    """Compare the distance between the logits of two networks."""
    found, case = Comparison("systems/rocket/hint_blocked"), case_of("rocket", "hint_blocked")
    system = Rocket(network(1), network(2), CLASSIFICATION)

    def loss(*logits: Tensor) -> Tensor:
        return system.losses(*logits, batch_of(case["labels"])).losses["student"]

    check(found, case, ["light", "booster"], loss)
    return found


def compare_launch() -> Comparison:
    """Compare a step of two wide residual networks that share convolutions, and its statistics."""
    found, case = Comparison("systems/rocket/shared"), case_of("rocket", "shared")
    system = Rocket(wide(1), wide(2), CLASSIFICATION).train()
    parts = [(name, part, "s") for name, part in system.student.named_parameters()]
    parts += [(name, part, "") for name, part in system.booster.named_parameters()]
    weights = {f"param.{theirs(name, light)}": part for name, part, light in parts}
    stored = {key for key in case if key.startswith("param.")}
    assert all("block1.bns" in key for key in stored ^ set(weights)), "batch norms without use"
    fill(weights, case)
    images, labels = case["images"], case["labels"]
    batch = Batch(images, labels, torch.arange(len(labels)), 0)
    logits = system.student(images), system.booster(images)
    for name, own in zip(("light", "booster"), logits, strict=True):
        found.check("logits", name, own, case[name], LOSS)
    loss = system.losses(*logits, batch).losses["student"]
    found.check("loss", "loss", loss, case["loss"], LOSS)
    gradients = torch.autograd.grad(loss, list(weights.values()))
    for name, gradient in zip(weights, gradients, strict=True):
        reference = case[name.replace("param.", "grad.")]
        found.check("gradient", name, gradient, reference, OFFSET[1])
    for one, light in ((system.student, "s"), (system.booster, "")):
        for name, buffer in one.named_buffers():
            if "running" in name:
                reference = case[f"stat_after.{theirs(name, light)}"]
                found.check("statistics", name, buffer, reference, LOSS)
    return found


def wide(blocks: int) -> StagedNetwork:
    """Make a wide residual network of 4, 8 and 16 channels, and so many blocks a stage."""
    stages: dict[str, nn.Module] = {"stem": conv3x3(3, 16)}
    for number, (inputs, outputs) in enumerate(((16, 4), (4, 8), (8, 16)), 1):
        stride = 1 if number == 1 else 2
        block = PreActivationBlock
        stages[f"stage{number}"] = chain(block, inputs, outputs, length=blocks, stride=stride)
    stages["embedding"] = nn.Sequential(nn.BatchNorm2d(16), nn.ReLU(), GlobalAveragePool())
    return Chain({**stages, "head": nn.Linear(16, 5)}, family="wide_resnet")


def theirs(name: str, light: str) -> str:
    """Give the authors' name of a tensor; those of the light network alone end in ``s``."""
    place = re.match(r"stage(\d)\.(\d)\.(.*)", name)
    if place is None:
        fixed = {"stem.weight": "conv0", "embedding.0": f"bn{light}", "head": f"fc{light}"}
        first = next(ours for ours in fixed if name.startswith(ours))
        return name.replace(first, fixed[first])
    stage, block, rest = place.groups()
    kind, number, what = re.fullmatch(r"(bn|conv|shortcut)(\d?)\.(\w+)", rest).groups()
    layer = {"shortcut": "convdim"}.get(kind) or f"{kind}{light * (kind == 'bn')}{int(number) - 1}"
    group = f"group{int(stage) - 1}.block{block}.{layer}"
    return f"{group}.{what}" if kind == "bn" else group
