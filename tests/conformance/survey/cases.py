"""Shared by the comparisons of further distillers."""

from __future__ import annotations

import torch
from torch import Tensor

from conformance.comparison import Comparison, Golden, below, golden
from sakd.data import Batch
from sakd.distillers import DISTILLERS, Distiller, Pair
from sakd.networks.spots import Spot

LOSS = 1e-6
GRADIENT = 1e-5


def case_of(distiller: str, name: str) -> Golden:
    """Read one case of a distiller."""
    return below(f"{name}/", golden(f"survey/{distiller}"))


def build(name: str, student: Tensor, teacher: Tensor, **options: float) -> Distiller:
    """Make a distiller of one spot for features (B, ...)."""
    shapes = (tuple(student.shape[1:]),), (tuple(teacher.shape[1:]),)
    pair = Pair((Spot(3, 3),), *shapes, torch.arange(8))
    return DISTILLERS[name](pair, **options)


def batch_of(labels: Tensor) -> Batch:
    """Make a batch of images with ``labels`` (B,)."""
    return Batch(torch.zeros(len(labels), 3, 4, 4), labels, torch.arange(len(labels)), 0)


def loss_of(
    distiller: Distiller, student: Tensor, teacher: Tensor, labels: Tensor | None = None
) -> Tensor:
    """Take the loss of features (B, ...) with everybody chosen."""
    everybody = torch.ones(len(student), dtype=torch.bool)
    batch = batch_of(torch.arange(len(student)) if labels is None else labels)
    return distiller.loss(0, student, teacher, batch, everybody)


def check_loss(found: Comparison, distiller: Distiller, case: Golden) -> None:
    """Compare a loss, and its gradient by the student's features."""
    student = case["f_s"].clone().requires_grad_()
    loss = loss_of(distiller, student, case["f_t"])
    found.check("loss", "loss", loss, case["loss"], LOSS)
    (gradient,) = torch.autograd.grad(loss, student)
    found.check("gradient", "grad_s", gradient, case["grad_s"], GRADIENT)
