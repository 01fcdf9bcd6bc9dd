"""Compare objectives that make another batch of the one that they are given."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from conformance.comparison import Comparison, Golden
from conformance.survey.cases import GRADIENT, LOSS, case_of
from sakd.data import Batch
from sakd.networks.chain import Chain
from sakd.objectives import DataFacts, Distillation, Unix, distil
from sakd.routing.uncertain import doubt

KEPT = 6


def compare_mixing(name: str) -> Comparison:
    """Compare scores, order, shares and images, and the step of linear networks on these."""
    case, found = case_of("unix", name), Comparison(f"survey unix/{name}")
    objective = _objective(name, case)
    batch = Batch(case["images"], case["labels"], torch.arange(len(case["labels"])), 0)
    logits = objective.student(batch.images)
    scores = {
        "entropy": case["entropy"],
        "confidence": 1 - case["confidence"],
        "margin": -case["margin"],
    }
    for kind, reference in scores.items():
        found.check("scores", kind, doubt(logits, kind), reference, LOSS)
    doubts = objective.doubts(batch.images)
    found.check("scores", "scores", doubts, case["scores"], LOSS)
    mixed = objective.mixing.mix(batch, doubts, case["lamb"], case["partner"])
    assert mixed.mixture is not None
    found.check("order", "rank", mixed.index, case["rank"][:KEPT])
    found.check("shares", "mask", 1 - mixed.mixture.share, case["mask"][:KEPT], LOSS)
    found.check("images", "mixed", mixed.images, case["mixed"], LOSS)
    _compare_step(found, objective, mixed, case)
    return found


def _compare_step(found: Comparison, objective: Unix, mixed: Batch, case: Golden) -> None:
    losses, terms = objective(mixed)
    found.check("loss", "loss_ce", terms["cross_entropy"], case["loss_ce"], LOSS)
    found.check("loss", "loss_kd", terms["kd"], case["loss_kd"], LOSS)
    found.check("loss", "loss", losses["student"], case["loss"], LOSS)
    (gradient,) = torch.autograd.grad(losses["student"], list(objective.student.parameters()))
    found.check("gradient", "grad_weight", gradient, case["grad_weight"], GRADIENT)


def _objective(name: str, case: Golden) -> Unix:
    score, slope = ("entropy", 10.0) if name == "kd_only" else _settings(name)
    options = {"share": KEPT / 8, "turn": 4 / 8, "score": score, "slope": slope}
    objective = distil(
        _linear(case["s_weight"]),
        _linear(case["t_weight"]),
        "kd",
        "always",
        DataFacts((2, 3, 3), case["labels"]),
        distillation=Distillation(
            "unix",
            ce_weight=0.0 if name == "kd_only" else 1.0,
            objective_options={"unix": options},
        ),
    )
    assert isinstance(objective, Unix)
    return objective.double().train()


def _settings(name: str) -> tuple[str, float]:
    score, _, slope = name.partition("_w")
    return score, float(slope)


def _linear(weight: Tensor) -> Chain:
    head = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    head.weight.data.copy_(weight)
    return Chain({"embedding": nn.Flatten(), "head": head}, family="linear")
