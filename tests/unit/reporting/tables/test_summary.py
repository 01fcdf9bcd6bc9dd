from __future__ import annotations

import json

import pandas as pd
import pytest

from sakd.reporting import metric_files, summary
from sakd.reporting.tables.outcomes import Outcomes
from sakd.reporting.tables.verdicts import verdicts


def test_the_summary_holds_the_means_of_the_hand_example(results):
    expected = {
        "cells_done": 12,
        "cells_failed": 1,
        "top1/student_alone": 0.72,
        "top1/kd/always": 0.82,
        "top1/kd/adaptive": 0.84,
        "top1/at/always": 0.805,
        "top1/at/adaptive": 0.80,
        "gain/distillation": 0.295 / 3,
        "gain/distillation/seeds": 3,
        "gain/adaptive": 0.055 / 3,
        "gain/adaptive/seeds": 3,
    }
    numbers = summary(results)
    ends = {name: numbers.pop(name) for name in list(numbers) if name.endswith(("low", "high"))}
    assert numbers == pytest.approx(expected)
    assert len(ends) == 4
    assert ends["gain/adaptive/low"] < 0.055 / 3 < ends["gain/adaptive/high"]


def test_intervals_of_the_summary_are_those_of_the_verdicts(results, predictions):
    answers = predictions(results)
    numbers = summary(results, answers)
    (found,) = (v.found for v in verdicts(Outcomes.of(results, predictions=answers))[1:])
    low, high = found.estimate.interval()
    assert (numbers["gain/adaptive/low"], numbers["gain/adaptive/high"]) == (low, high)


def test_the_gain_is_that_of_the_pooled_line(results, cell):
    ruined = [cell("simkd", policy, 0, top1) for policy, top1 in (("always", 0.9), ("anti", 0.1))]
    others = [cell("kd", "anti", seed, 0.8) for seed in range(3)]
    numbers = summary(pd.DataFrame([*results.to_dict("records"), *others, *ruined]))
    assert numbers["gain/anti"] == pytest.approx(-0.02)
    assert numbers["gain/anti/seeds"] == 3


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


def test_metrics_are_a_few_numbers_of_the_study_and_a_line_for_every_method_and_gain(results):
    numbers = summary(results)
    files = {name: json.loads(content) for name, content in metric_files(numbers).items()}
    gains = ["gain/distillation", "gain/adaptive"]
    assert set(files.pop("study.json")) == {
        "cells_done",
        "cells_failed",
        "top1/student_alone",
        *gains,
    }
    assert files["kd-adaptive.json"] == {"top1": numbers["top1/kd/adaptive"]}
    assert set(files["gain-adaptive.json"]) == {"gain", "low", "high", "seeds"}
    every = [number for line in files.values() for number in line.values()]
    cells = numbers.pop("cells_done"), numbers.pop("cells_failed")
    assert cells == (12, 1)
    assert sorted(every) == sorted(numbers.values())


def test_gains_of_systems_have_lines_of_their_own():
    files = metric_files({"gain/dml": 0.1, "gain/dml/kd": 0.2, "gain/dml/kd/low": 0.1})
    assert sorted(files) == ["gain-dml-kd.json", "gain-dml.json", "study.json"]
    assert json.loads(files["study.json"]) == {}
