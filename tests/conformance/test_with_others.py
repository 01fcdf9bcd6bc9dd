"""Ways of learning with others equal published code."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from conformance.comparison import Comparison, golden
from conformance.systems.launch import compare_hint, compare_launch
from conformance.systems.with_others import (
    OFFSET,
    compare_divergence,
    compare_fusion,
    compare_heads,
    compare_mean_targets,
    compare_native_ensemble,
    compare_peers,
    compare_ramp,
)

COMPARISONS: dict[str, Callable[[], Comparison]] = {
    "dml/official_kl": partial(
        compare_divergence, "dml", "official_kl", ("logits1", "logits2"), tolerances=OFFSET
    ),
    "dml/zoo_kl": partial(compare_divergence, "dml", "zoo_kl", ("out1", "out2")),
    "dml/okddip_ensemble": compare_mean_targets,
    "one/kl": partial(
        compare_divergence, "one", "kl", ("pred", "label"), temperature=3.0, tolerances=OFFSET
    ),
    "one/rampup": compare_ramp,
    "one/step": compare_native_ensemble,
    "okddip/kl": partial(
        compare_divergence,
        "okddip",
        "kl",
        ("output", "teacher"),
        temperature=3.0,
        given=False,
        tolerances=OFFSET,
    ),
    "okddip/step": compare_peers,
    "ffl/step": compare_fusion,
    "dcm/kl": partial(
        compare_divergence, "dcm", "kl", ("logits_q", "logits_p"), given=False, tolerances=OFFSET
    ),
    "dcm/step": compare_heads,
    "rocket/hint_blocked": compare_hint,
    "rocket/shared": compare_launch,
}

FILES = {name.split("/")[0] for name in COMPARISONS}


def test_every_case_that_is_kept_is_compared() -> None:
    kept = {f"{file}/{key.split('/')[0]}" for file in FILES for key in golden(f"systems/{file}")}
    assert kept == set(COMPARISONS)


@pytest.mark.parametrize("name", COMPARISONS)
def test_losses_and_gradients_equal_published_code(
    name: str, equal: Callable[[Comparison], None]
) -> None:
    equal(COMPARISONS[name]())
