"""A study of two teachers: under the one the router goes on choosing, under the other it stops."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sakd.reporting.verdict.part import Part

POLICIES = ("always", "adaptive", "random", "random_matched", "anti", "prime")
LEVELS = {"none": 0.5, "always": 0.7, "adaptive": 0.71, "random_matched": 0.65, "anti": 0.4}
SEEDS = 4


@pytest.fixture(scope="session")
def study(cell, history, predictions):
    """Results, history and predictions; anti is worse by far, the others differ at random."""
    draws = np.random.default_rng(0)
    methods = [("none", "none"), *((name, each) for name in ("kd", "at") for each in POLICIES)]
    lines = []
    for teacher in ("good", "bad@brief"):
        for method in methods:
            for seed in range(SEEDS):
                top1 = LEVELS.get(method[1], 0.7) + round(draws.uniform(-0.02, 0.02), 2)
                line = cell(*method, seed, top1, teacher=teacher, teacher_test_top1=0.9)
                lines.append(line | {"cell": f"{teacher}-{line['cell']}", "revision": "ab" * 20})
    results = pd.DataFrame(lines)
    stopped = results[results["teacher"] == "good"]["cell"]
    epochs = history(results, dict.fromkeys(stopped, (1.0, 1.0)))
    weighs = epochs["cell"].str.contains("prime")
    rates = ["gate_rate/stage1", "gate_rate/logits"]
    epochs.loc[weighs, rates] = 1.0
    epochs.loc[weighs, [name.replace("gate_rate", "effective_share") for name in rates]] = 0.9
    return results, epochs, predictions(results)


@pytest.fixture(scope="session")
def part(study):
    return Part.of(*study)
