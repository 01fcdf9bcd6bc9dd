"""Compare ways of learning from one's own deepest answer."""

from __future__ import annotations

from typing import cast

from torch import nn

from conformance.comparison import Comparison
from conformance.systems.cases import build_for, case_of, check_terms, convolutional
from sakd.systems.byot import BYOT


def compare_heads() -> Comparison:
    """Compare the loss of four heads, and its gradients by their logits and features."""
    case, found = case_of("byot", "official"), Comparison("system byot")
    system = build_for(convolutional(6, 6, 6, 6), "byot", case["labels"])
    assert isinstance(system, BYOT)
    for number, layer in enumerate(cast("list[nn.Linear]", list(system.hints)), start=1):
        layer.weight.data.copy_(case[f"adapt{number}_weight"])
        layer.bias.data.copy_(case[f"adapt{number}_bias"])
    names = [f"{kind}{number}" for kind in ("logits", "feature") for number in range(1, 5)]
    seen = [(name, case[name], case[f"grad_{name}"]) for name in names]
    check_terms(found, system, case["labels"], seen, case["loss_f64"])
    return found
