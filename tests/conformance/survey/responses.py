"""Compare distillers of the logits, sample by sample."""

from __future__ import annotations

import torch

from conformance.comparison import Comparison
from conformance.survey.cases import GRADIENT, LOSS, batch_of, build, case_of, loss_of


def compare_adjustment(name: str) -> Comparison:
    """Compare what knowledge adjustment makes of a teacher's logits.

    Where that code exchanges two probabilities it writes the label's to both places, so its
    probability of the label is not compared there.
    """
    case, found = case_of("ka", name), Comparison(f"survey ka/{name}")
    kind, temperature = name.split("_T")
    ka = build("ka", case["logits_t"], case["logits_t"], smooth=kind == "smooth")
    label = case["labels"][:, None]
    ours = ka.target(case["logits_t"] / int(temperature), batch_of(case["labels"])).exp()
    theirs = case["target"]
    if kind == "shift":
        ours, theirs = (target.scatter(1, label, 0.0) for target in (ours, theirs))
    found.check("target", "target", ours, theirs, LOSS)
    return found


def compare_temperatures(name: str) -> Comparison:
    """Compare temperatures of samples, and the gradient of the loss less the factor T_b^2."""
    case, found = case_of("dtd", name), Comparison(f"survey dtd/{name}")
    options = {"temperature": case["tau0"].item(), "beta": case["beta"].item()}
    student, teacher = case["logits_s"].clone().requires_grad_(), case["logits_t"]
    dtd = build("dtd", student, teacher, by_confidence=name == "cwsm", **options)
    everybody = torch.ones(len(student), dtype=torch.bool)
    temperatures = dtd.temperatures(student, teacher, everybody)
    found.check("temperature", "tau", temperatures, case["tau"], LOSS)
    loss = loss_of(dtd, student, teacher)
    (gradient,) = torch.autograd.grad(loss, student)
    bare = gradient / temperatures[:, None].square()
    found.check("gradient", "grad_s", bare, case["grad_s"], GRADIENT)
    return found
