"""Systems against the student alone and KD; the comparisons of policies do not see them."""

from __future__ import annotations

import pandas as pd
import pytest

from sakd.reporting.pages.content import report
from sakd.reporting.pages.terminal import console_table
from sakd.reporting.tables.contrasts import Contrast, duels
from sakd.reporting.tables.methods import (
    ALONE,
    KD,
    method_differences,
    of_pair_and_its_teachers,
    rivals,
    shown_methods,
)
from sakd.reporting.tables.outcomes import Outcomes
from sakd.reporting.tables.summary import summary
from sakd.reporting.tables.verdicts import verdicts

SEEDS = range(3)


@pytest.fixture
def lines(cell):
    """Four methods of three seeds, with gains that vary by the seed."""
    gains = {("none", "none"): 0.0, ("kd", "always"): 0.02, ("kd", "adaptive"): 0.03}
    gains |= {("dml", "always"): 0.05}
    return [
        cell(*method, seed, 0.5 + gain * (1 + seed / 10))
        for method, gain in gains.items()
        for seed in SEEDS
    ]


def test_systems_are_compared_with_the_student_alone_and_with_kd(lines):
    outcomes = Outcomes.of(pd.DataFrame(lines))
    assert rivals(outcomes.cells) == [ALONE, KD]
    alone, kd = (method_differences(outcomes, rival) for rival in (ALONE, KD))
    assert list(alone) == ["kd", "dml"]
    assert float(alone["dml"].estimate.mean) == pytest.approx(0.055)
    assert list(kd) == ["dml"]
    assert float(kd["dml"].estimate.mean) == pytest.approx(0.033)
    assert kd["dml"].seeds == len(SEEDS)
    table = shown_methods(outcomes, KD)
    assert table.text.loc[0, "points"] == "+3.30"
    assert table.values.loc[0, "mean"] == pytest.approx(0.033)


def test_systems_of_several_teachers_are_compared_with_kd_from_each_of_them(cell, history):
    def of(teacher: str, method: str, gain: float) -> list[dict[str, object]]:
        policy = "none" if method == "none" else "always"
        return [
            cell(method, policy, seed, 0.5 + gain, teacher=teacher, cell=f"{teacher}{method}{seed}")
            for seed in SEEDS
        ]

    pairs = {"a": 0.02, "b": 0.01, "c": 0.2}
    singles = [line for name, gain in pairs.items() for line in of(name, "kd", gain)]
    several = [*of("a&b", "none", 0.0), *of("a&b", "ebkd", 0.05)]
    results = pd.DataFrame([*singles, *several])
    outcomes = of_pair_and_its_teachers(Outcomes.of(results), ("digits", "a&b", "s"))
    alone, *kd = rivals(outcomes.cells)
    assert alone == ALONE
    assert [each.title for each in kd] == ["KD from a", "KD from b"]
    found = method_differences(outcomes, kd[0])
    means = {name: float(each.estimate.mean) for name, each in found.items()}
    assert means == pytest.approx({"ebkd": 0.03, "kd (b)": -0.01})
    single = of_pair_and_its_teachers(Outcomes.of(results), ("digits", "a", "s"))
    assert rivals(single.cells) == []
    captions = [table.caption for table in report(results, history(results)).tables]
    assert "Methods against KD from b, paired over seeds and images" in captions
    assert "against KD from b" in console_table(results)


def test_comparisons_of_policies_leave_systems_out(lines):
    results = pd.DataFrame(lines)
    outcomes = Outcomes.of(results)
    without = Outcomes.of(results[results["distiller"] != "dml"])
    assert [one.text for one in verdicts(outcomes)] == [one.text for one in verdicts(without)]
    assert set(duels(outcomes.cells, Contrast("always", "none"))["distiller"]) == {"kd"}
    numbers = summary(results)
    assert numbers["gain/dml"] == pytest.approx(0.055)
    assert numbers["gain/dml/kd"] == pytest.approx(0.033)
    assert numbers["gain/distillation"] == pytest.approx(0.022)


def test_a_study_without_systems_has_no_such_tables(lines):
    results = pd.DataFrame([line for line in lines if line["distiller"] != "dml"])
    assert rivals(Outcomes.of(results).cells) == []


def test_a_study_of_systems_alone_asks_nothing_about_distillation(cell, history):
    results = pd.DataFrame(
        [cell(m, p, s, 0.5) for m, p in (("none", "none"), ("dml", "always")) for s in SEEDS]
    )
    assert verdicts(Outcomes.of(results)) == []
    assert "gain/distillation" not in summary(results)
    page = report(results, history(results))
    assert [table.caption for table in page.tables if table.caption.startswith("Methods")] == [
        "Methods against the student alone, paired over seeds and images"
    ]
