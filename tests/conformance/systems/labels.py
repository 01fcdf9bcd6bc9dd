"""Compare ways of learning from labels and from a network's own earlier answers."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import softmax

from conformance.comparison import Comparison
from conformance.systems.cases import GRADIENT, LOSS, ROUGH, batch_of, build, case_of, check_terms
from sakd.systems.beta_smoothing import by_rank, targets
from sakd.systems.parts.targets import soft_cross_entropy
from sakd.tasks import CLASSIFICATION
from sakd.tasks.smoothing import smoothed_loss


def compare_taught(
    system: str, source: str, name: str, tolerance: float = LOSS, **settings: Any
) -> Comparison:
    """Compare the loss under a teacher, and its gradients by the logits of both."""
    case, found = case_of(source, name), Comparison(f"system {system}")
    seen = [("logits", case["logits"], case["grad_logits"]), ("teacher", case["teacher"], None)]
    built = build(system, case["labels"], **settings)
    check_terms(found, built, case["labels"], seen, case["loss_f64"], tolerance)
    return found


def compare_untaught(system: str, source: str, name: str, **settings: Any) -> Comparison:
    """Compare the loss without a teacher, and its gradient by the logits."""
    case, found = case_of(source, name), Comparison(f"system {system}")
    built = build(system, case["labels"], **settings)
    seen = [("logits", case["logits"], case["grad_logits"])]
    check_terms(found, built, case["labels"], seen, case["loss_f64"])
    return found


def compare_smoothing(source: str) -> Comparison:
    """Compare the loss on smoothed labels, and its gradient."""
    case, found = case_of(source, "label_smoothing"), Comparison(f"label smoothing of {source}")
    logits = case["logits"].clone().requires_grad_()
    loss = smoothed_loss(logits, batch_of(case["labels"]), CLASSIFICATION, 0.1)
    found.check("loss", "loss", loss, case["loss_f64"], ROUGH)
    (gradient,) = torch.autograd.grad(loss, logits)
    found.check("gradient", "logits", gradient, case["grad_logits"], GRADIENT)
    return found


def compare_ranks() -> Comparison:
    """Compare the loss on labels that are smoothed by rank, and its gradient."""
    case, found = case_of("instance_smoothing", "beta_only"), Comparison("system beta_smoothing")
    logits = case["logits"].clone().requires_grad_()
    shuffled = case["sorted_draws"][torch.tensor([3, 5, 0, 2, 1, 4])]
    right = by_rank(shuffled, softmax(case["ema_logits"], dim=1), case["labels"])
    target = targets(right, case["labels"], logits.shape[1])
    loss = soft_cross_entropy(logits, target).mean()
    found.check("loss", "loss", loss, case["loss_f64"], ROUGH)
    (gradient,) = torch.autograd.grad(loss, logits)
    found.check("gradient", "logits", gradient, case["grad_logits"], GRADIENT)
    return found
