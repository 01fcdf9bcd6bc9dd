"""Compare ways of learning with others with their authors' code."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from conformance.comparison import Comparison, Golden, below, golden
from sakd.data import Batch
from sakd.systems.parts.divergence import divergence
from sakd.tasks import CLASSIFICATION

LOSS, GRADIENT = 1e-6, 1e-5
"""Most of the code ran in float32."""
OFFSET = 5e-6, 5e-5
"""Where the code adds a small number to probabilities before their logarithm."""


def case_of(system: str, name: str) -> Golden:
    """Read one case of a system."""
    return below(f"{name}/", golden(f"systems/{system}"))


def batch_of(labels: Tensor) -> Batch:
    """Make a batch of images with ``labels`` (B,)."""
    return Batch(torch.zeros(len(labels), 3, 4, 4), labels, torch.arange(len(labels)), 0)


def check(
    found: Comparison,
    case: Golden,
    inputs: list[str],
    loss_of: Callable[..., Tensor],
    tolerances: tuple[float, float] = (LOSS, GRADIENT),
) -> None:
    """Compare a loss of ``inputs``, and its gradients by them, with a case."""
    given = [case[name].clone().requires_grad_() for name in inputs]
    loss = loss_of(*given)
    found.check("loss", "loss", loss, case.get("loss_f64", case.get("loss")), tolerances[0])
    gradients = torch.autograd.grad(loss, given, materialize_grads=True)
    for name, gradient in zip(inputs, gradients, strict=True):
        if f"grad_{name}" in case:
            found.check("gradient", name, gradient, case[f"grad_{name}"], tolerances[1])


def compare_divergence(
    system: str,
    name: str,
    inputs: tuple[str, str],
    temperature: float = 1.0,
    *,
    given: bool = True,
    tolerances: tuple[float, float] = (LOSS, GRADIENT),
) -> Comparison:
    """Compare the divergence of two logits, of which the second may be ``given``."""
    found = Comparison(f"systems/{system}/{name}")

    def loss(logits: Tensor, target: Tensor) -> Tensor:
        return divergence(logits, target.detach() if given else target, temperature)

    check(found, case_of(system, name), list(inputs), loss, tolerances)
    return found


def compare_mean_targets() -> Comparison:
    """Compare three networks that each follow the mean of the logits of the others."""
    found, case = Comparison("systems/dml/okddip_ensemble"), case_of("dml", "okddip_ensemble")

    def loss(logits: Tensor) -> Tensor:
        batch, total = batch_of(case["labels"]), logits.sum(dim=2)
        return torch.stack(
            [
                CLASSIFICATION.loss(own, batch) + divergence(own, (total - own) / 2, 3.0)
                for own in logits.unbind(dim=2)
            ]
        ).sum()

    check(found, case, ["logits"], loss, OFFSET)
    return found
