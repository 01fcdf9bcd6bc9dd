"""Shared by the comparisons of ways of learning."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from conformance.comparison import Comparison, Golden, below, golden
from sakd.data import Batch
from sakd.networks import StagedNetwork
from sakd.networks.chain import Chain
from sakd.networks.zoo.blocks import GlobalAveragePool
from sakd.objectives import DataFacts
from sakd.systems import SYSTEMS, Partner, Situation
from sakd.systems.parts.learner import Learner

LOSS = 1e-9
"""Of losses that the published code gave in float64."""
ROUGH = 1e-6
"""Of losses whose published code has targets in float32, or adds 1e-8 to probabilities."""
GRADIENT = 1e-5
"""Of gradients, which it gave in float32."""


def nobody(_number: int, _partner: bool) -> StagedNetwork:
    """Fail where a system asks for a fresh network that it does not need."""
    raise AssertionError("this system needs no fresh network")


def case_of(system: str, name: str) -> Golden:
    """Read one case of a system."""
    return below(f"{name}/", golden(f"systems/{system}"))


def batch_of(labels: Tensor) -> Batch:
    """Make a batch of black images with ``labels`` (B,)."""
    return Batch(torch.zeros(len(labels), 3, 4, 4), labels, torch.arange(len(labels)), 0)


def build(name: str, labels: Tensor, **settings: Any) -> Learner[Any]:
    """Build a system of one player for linear networks of 10 classes."""
    return build_for(linear(), name, labels, **settings)


def build_for(student: StagedNetwork, name: str, labels: Tensor, **settings: Any) -> Learner[Any]:
    """Build a system of one player for ``student``; a teacher, if it needs one, is linear."""
    kind = SYSTEMS[name]
    partners = (linear(),) if kind.partner is Partner.TEACHER else ()
    data = DataFacts((3, 4, 4), labels)
    situation = Situation(student, partners, data, linear)
    system = kind.of(situation, kind.settings(**settings))
    assert isinstance(system, Learner)
    return system


def linear(*_: object) -> StagedNetwork:
    """Make a linear network, for any arguments."""
    return Chain({"embedding": nn.Flatten(), "head": nn.Linear(48, 10)}, family="linear")


def convolutional(*widths: int) -> StagedNetwork:
    """Make a network of 5 classes with a stage for each of ``widths``, whose maps halve."""
    stages: dict[str, nn.Module] = {"stem": nn.Conv2d(3, widths[0], 1)}
    for number, pair in enumerate(pairwise((widths[0], *widths)), start=1):
        stages[f"stage{number}"] = nn.Conv2d(*pair, 3, stride=min(number, 2), padding=1)
    stages["embedding"] = GlobalAveragePool()
    return Chain({**stages, "head": nn.Linear(widths[-1], 5)}, family="convolutional")


def check_terms(
    found: Comparison,
    system: Learner[Any],
    labels: Tensor,
    seen: Sequence[tuple[str, Tensor, Tensor | None]],
    reference: Tensor,
    tolerance: float = LOSS,
) -> None:
    """Compare the loss, and the gradients of what it is computed of.

    Args:
        found: The comparison.
        system: The system.
        labels: (B,).
        seen: The name, the value and the gradient of each; None for 0.
        reference: The loss.
        tolerance: That of the loss.
    """
    values = [value.clone().requires_grad_() for _, value, _ in seen]
    terms = system.terms(batch_of(labels), values)
    loss = sum((weight * term for term, weight in terms.values()), torch.zeros(()))
    found.check("loss", "loss", loss, reference, tolerance)
    gradients = torch.autograd.grad(loss, values, allow_unused=True)
    for (name, value, expected), gradient in zip(seen, gradients, strict=True):
        given = torch.zeros_like(value) if gradient is None else gradient
        wanted = torch.zeros_like(value) if expected is None else expected
        found.check("gradient", name, given, wanted, GRADIENT)
