"""Compare ways of learning from the neighbours in a batch."""

from __future__ import annotations

from conformance.comparison import Comparison
from conformance.systems.cases import GRADIENT, build_for, case_of, check_terms, convolutional
from sakd.systems.bake import propagated


def compare_neighbours() -> Comparison:
    """Compare the targets, the loss and its gradients."""
    case, found = case_of("bake", "omega05"), Comparison("system bake")
    system = build_for(convolutional(4, 8), "bake", case["labels"])
    targets = propagated(case["logits"] / 4, case["features"], 0.5)
    found.check("targets", "targets", targets, case["targets"], GRADIENT)
    seen = [(name, case[name], case[f"grad_{name}"]) for name in ("logits", "features")]
    check_terms(found, system, case["labels"], seen, case["loss_f64"])
    return found
