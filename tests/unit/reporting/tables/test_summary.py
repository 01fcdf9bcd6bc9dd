from __future__ import annotations

import json

import pandas as pd
import pytest

from sakd.reporting import summary


def test_the_summary_holds_the_means_of_the_hand_example(results):
    expected = {
        "cells_done": 12,
        "cells_failed": 1,
        "top1/student_alone": 0.72,
        "top1/kd/always": 0.82,
        "top1/kd/adaptive": 0.84,
        "top1/at/always": 0.805,
        "top1/at/adaptive": 0.80,
        "gain/adaptive": 0.015,
        "gain/adaptive/n": 4,
    }
    assert summary(results) == pytest.approx(expected)


def test_the_gain_is_that_of_the_pooled_line(results, cell):
    ruined = [cell("simkd", policy, 0, top1) for policy, top1 in (("always", 0.9), ("anti", 0.1))]
    others = [cell("kd", "anti", seed, 0.8) for seed in range(3)]
    numbers = summary(pd.DataFrame([*results.to_dict("records"), *others, *ruined]))
    assert numbers["gain/anti"] == pytest.approx(-0.02)
    assert numbers["gain/anti/n"] == 3


def test_the_summary_is_strict_json_even_when_everything_failed(results):
    failed = results.assign(status="failed", test_top1=None)
    numbers = summary(failed)
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers
    assert numbers == {"cells_done": 0, "cells_failed": 13}


@pytest.mark.parametrize("cells", [slice(None), slice(3, 9)], ids=["some failed", "none failed"])
def test_results_read_back_from_csv_say_the_same(results, tmp_path, cells):
    path, results = tmp_path / "results.csv", results[cells]
    results.to_csv(path, index=False)
    assert summary(pd.read_csv(path)) == pytest.approx(summary(results))
