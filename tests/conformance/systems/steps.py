"""Compare learning in steps with values of published code, which ran on float64 copies."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import torch
from torch import Tensor, nn

from conformance.comparison import Comparison, Golden
from conformance.systems.cases import GRADIENT, LOSS, case_of, nobody
from sakd.data import Batch
from sakd.networks import Chain, StagedNetwork
from sakd.networks.zoo.blocks import GlobalAveragePool
from sakd.objectives import DataFacts, Distillation, StepResult, distil
from sakd.systems import SYSTEMS, Situation
from sakd.systems.dgkd import DGKD

FILE = "steps"


def reader(first: int, classes: int, channels: int) -> StagedNetwork:
    """Make a network whose logits are some channels of its images, from ``first`` on."""
    head = nn.Linear(channels, classes, bias=False).double()
    head.weight.data = torch.eye(channels, dtype=torch.float64)[first : first + classes]
    return Chain({"pool": GlobalAveragePool(), "head": head}, family="reader")


def asked(logits: Sequence[Tensor], labels: Tensor, seed: int = 0) -> Batch:
    """Make a batch whose images are the ``logits`` of all networks, each (B, K)."""
    images = torch.cat(list(logits), dim=1)[:, :, None, None].clone().requires_grad_()
    return Batch(images, labels, torch.arange(len(labels)), seed)


def readers(logits: Sequence[Tensor]) -> list[StagedNetwork]:
    """Make the networks that read these ``logits`` from the images of `asked`."""
    classes = logits[0].shape[1]
    width = classes * len(logits)
    return [reader(classes * number, classes, width) for number in range(len(logits))]


def facts_of(case: Golden, networks: int) -> DataFacts:
    """Describe the data of a case."""
    classes = case["z_s"].shape[1]
    return DataFacts((classes * networks, 1, 1), torch.arange(classes))


def compare(name: str, case: Golden, batch: Batch, result: StepResult) -> Comparison:
    """Compare the loss, and its gradient by the student's logits."""
    found = Comparison(f"steps {name}")
    loss = result.losses["student"]
    found.check("loss", "loss", loss, case["loss_f64"], LOSS)
    (gradient,) = torch.autograd.grad(loss, batch.images)
    classes = case["z_s"].shape[1]
    found.check("gradient", "grad_s", gradient[:, :classes, 0, 0], case["grad_s"], GRADIENT)
    return found


def compare_step(name: str) -> Comparison:
    """Compare a step of a path, which is plain KD; the divergence is K times weaker there."""
    case = case_of(FILE, f"takd/{name}")
    logits = case["z_s"], case["z_t"]
    share, classes = float(case["lambda"]), case["z_s"].shape[1]
    distillation = Distillation(
        ce_weight=1 - share,
        weights={"kd": share / classes},
        options={"kd": {"temperature": float(case["T"])}},
    )
    facts = facts_of(case, 2)
    objective = distil(*readers(logits), "kd", "always", facts, distillation=distillation)
    batch = asked(logits, case["labels"])
    return compare(f"takd {name}", case, batch, objective(batch))


def compare_dense(name: str) -> Comparison:
    """Compare a step with a teacher and three assistants; the divergence is K times weaker there.

    The batch has the first seed that leaves out those whom the code left out.
    """
    case = case_of(FILE, f"dgkd/{name}")
    logits = case["z_s"], *case["z_t"]
    share, classes = float(case["lambda"]), case["z_s"].shape[1]
    kept = case["kept"].tolist()
    student, *teachers = readers(logits)
    settings = SYSTEMS["dgkd"].settings(
        ce_weight=1 - share,
        kd_weight=share / classes,
        temperature=float(case["T"]),
        drop=len(teachers) - len(kept),
    )

    situation = Situation(student, tuple(teachers), facts_of(case, len(logits)), nobody)
    system = DGKD.of(situation, settings)

    def shares(seed: int) -> list[float]:
        batch = asked(logits, case["labels"], seed)
        return system.shares(case["z_s"], case["z_t"].transpose(0, 1), batch)[0].tolist()

    expected = [float(number in kept) for number in range(len(teachers))]
    seed = next(seed for seed in count() if shares(seed) == expected)
    batch = asked(logits, case["labels"], seed)
    return compare(f"dgkd {name}", case, batch, system(batch))
