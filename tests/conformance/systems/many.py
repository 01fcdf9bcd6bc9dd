"""Compare systems of several teachers with values of published code, which ran in float32."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from conformance.comparison import Comparison, golden
from sakd.data import Batch
from sakd.distillers import Side
from sakd.networks import StagedNetwork
from sakd.networks.zoo.resnet import resnet
from sakd.objectives import DataFacts, Outputs
from sakd.systems import SYSTEMS, Situation, System
from sakd.systems.camkd import confidence, feature_errors
from sakd.systems.parts.weighted import Weighted

FILE = "systems/many"
LOSS, GRADIENT = 1e-6, 1e-5
CLASSES, TEACHERS = 5, 3


def system_of(name: str, **settings: Any) -> Any:
    """Build a system for three teachers; their weights do not count."""
    network, *teachers = (resnet(CLASSES, depth=8, widths=(2, 2, 4, 8)) for _ in range(4))

    def fresh(_number: int, _partner: bool) -> StagedNetwork:
        raise NotImplementedError

    data = DataFacts((3, 8, 8), torch.arange(CLASSES))
    kind: type[System[Any]] = SYSTEMS[name]
    return kind.of(Situation(network, tuple(teachers), data, fresh), kind.settings(**settings))


def batch_of(labels: Tensor) -> Batch:
    """Make a batch with ``labels`` (B,) of images that do not count."""
    return Batch(torch.zeros(len(labels), 3, 8, 8), labels, torch.arange(len(labels)), 0)


def compare_weighting(name: str, case: str, tolerance: float = LOSS) -> Comparison:
    """Compare the loss on logits, cross-entropy included, and its gradient."""
    values, found = golden(FILE), Comparison(f"systems {case}")
    logits = values["mkd/z_s"].clone().requires_grad_()
    taught = [Outputs((z,), (z,), Side.TEACHER) for z in values["mkd/z_t"]]
    system, batch = system_of(name), batch_of(values["mkd/labels"])
    student = Outputs((logits,), (logits,), Side.STUDENT)
    distilled = Weighted.knowledge(system, batch, student, taught)["kd"]
    loss = system.task.loss(logits, batch) + distilled
    found.check("loss", "loss", loss, values[f"mkd/{case}/loss"], tolerance)
    (gradient,) = torch.autograd.grad(loss, logits)
    found.check("gradient", "grad_s", gradient, values[f"mkd/{case}/grad_s"], 10 * tolerance)
    return found


def compare_confident_features() -> Comparison:
    """Compare the features of CA-MKD, and the gradient by those of the student."""
    values, found = golden(FILE), Comparison("systems CAMKD features")
    students = values["mkd/CAMKD_features/trans_s"].clone().requires_grad_()
    judged = values["mkd/CAMKD_features/logits_through_teacher_head"]
    system, batch = system_of("camkd"), batch_of(values["mkd/labels"])
    losses = torch.stack([system.task.losses(logits, batch) for logits in judged], dim=1)
    shares = confidence(losses)
    weight = TEACHERS * shares.T
    found.check("shares", "weight", weight, values["mkd/CAMKD_features/weight"], LOSS)
    errors = feature_errors(list(students), list(values["mkd/CAMKD_features/f_t"]))
    loss = (shares * errors).sum(dim=1).mean()
    found.check("loss", "loss", loss, values["mkd/CAMKD_features/loss"], LOSS)
    (gradient,) = torch.autograd.grad(loss, students)
    reference = values["mkd/CAMKD_features/grad_trans_s"]
    found.check("gradient", "grad_trans_s", gradient, reference, GRADIENT)
    return found
