"""The student to ship: chosen on val under a budget, and what would do as well."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sakd.foundation.errors import UserError
from sakd.reporting.pages.shipping import recommendation, what_to_ship
from sakd.reporting.tables.candidates import MACS, PARAMETERS, Candidate, candidates
from sakd.reporting.tables.choice import choose, front
from sakd.reporting.tables.frames import prepared
from sakd.reporting.tables.outcomes import Outcomes

SIZES = {"small": 10_000.0, "large": 90_000.0}


@pytest.fixture
def study(cell):
    """Make results of lines (student, distiller, seed, val, test)."""

    def make(*lines, teacher="t", **changes):
        made = []
        for student, distiller, seed, val, test in lines:
            policy = "none" if distiller == "none" else "always"
            line = cell(distiller, policy, seed, test, val_top1=val, student=student, **changes)
            named = f"{teacher}-{student}-{distiller}-s{seed}"
            costs = {"parameters": SIZES[student], "macs": 10 * SIZES[student]}
            made.append(line | {"cell": named, "teacher": teacher, **costs} | changes)
        return prepared(pd.DataFrame(made))

    return make


def names(found: list[Candidate]) -> list[str]:
    return [f"{one.student} {one.distiller}" for one in found]


def test_the_highest_mean_on_val_is_chosen_whatever_test_says(study):
    cells = study(
        *[("small", "kd", seed, val, 0.99) for seed, val in enumerate((0.80, 0.90))],
        *[("small", "at", seed, val, 0.70) for seed, val in enumerate((0.84, 0.88))],
    )
    choice = choose(candidates(cells), 0.005)
    assert (choice.best.distiller, choice.best.test.mean) == ("at", pytest.approx(0.70))
    assert choice.best.cell == "t-small-at-s1"
    assert choice.near == choice.equal == ()


def test_the_budget_leaves_out_what_costs_more(study):
    cells = study(("small", "kd", 0, 0.80, 0.8), ("large", "kd", 0, 0.90, 0.9))
    found = candidates(cells)
    assert choose(found, 0.005).best.student == "large"
    assert choose(found, 0.005, {PARAMETERS: 90_000}).best.student == "large"
    under = choose(found, 0.005, {PARAMETERS: 89_999})
    assert (under.best.student, under.fitting) == ("small", 1)


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        ({PARAMETERS: 9_999.0}, "nothing fits 9,999 parameters: the smallest .* 10,000 parameters"),
        ({PARAMETERS: 1.0}, "nothing fits 1 parameter: the smallest .* 10,000 parameters"),
        ({PARAMETERS: 50_000.0, MACS: 50.0}, "and 50 MACs: the nearest .* 100,000 MACs .small by"),
    ],
)
def test_what_is_smallest_is_named_where_nothing_fits(study, budget, words):
    cells = study(("small", "kd", 0, 0.80, 0.8), ("large", "kd", 0, 0.90, 0.9))
    with pytest.raises(UserError, match=words):
        choose(candidates(cells), 0.005, budget)


def test_of_equals_the_cheapest_is_taken_and_the_tie_is_told(study):
    cells = study(("large", "kd", 0, 0.90, 0.95), ("small", "at", 0, 0.90, 0.85))
    choice = choose(candidates(cells), 0.005)
    assert (names([choice.best]), names(choice.equal)) == (["small at"], ["large kd"])
    said = recommendation(choice, 0.005)
    assert "as high as large by kd, always, from t, and it costs least of them" in said


def test_of_equals_in_all_the_first_of_the_grid_is_taken_and_told(study):
    cells = study(("small", "kd", 0, 0.90, 0.9), ("small", "at", 0, 0.90, 0.9))
    choice = choose(candidates(cells), 0.005)
    assert choice.best.distiller == "kd"
    assert "and the first of them in the grid" in recommendation(choice, 0.005)


def test_others_within_the_margin_are_listed_and_the_smallest_is_named(study):
    cells = study(
        ("large", "kd", 0, 0.900, 0.9),
        ("small", "at", 0, 0.896, 0.9),
        ("small", "sp", 0, 0.894, 0.9),
    )
    choice = choose(candidates(cells), 0.005)
    assert names(choice.near) == ["small at"]
    assert choice.smallest.student == "small"
    said = what_to_ship(Outcomes.of(cells))
    assert "within 0.5 points on val: small by at, always, from t" in said
    assert "the smallest of these is small by at, always, from t, with 10,000 parameters" in said
    assert "90.00 % (1 seed, so no spread is known)" in said


def test_a_student_alone_under_two_teachers_is_one_candidate(study):
    lines = [("small", "none", seed, 0.8, 0.8) for seed in (0, 1)]
    both = pd.concat([study(*lines, teacher=name) for name in ("t", "u")])
    (alone,) = candidates(both)
    assert (alone.name, alone.val.n) == ("small alone", 2)


def test_seeds_without_a_result_are_told(study):
    cells = study(("small", "kd", 0, 0.8, 0.8), ("small", "kd", 1, 0.9, None))
    said = recommendation(choose(candidates(cells), 0.005), 0.005)
    assert "1 seed without a result" in said


def test_the_front_rises_with_the_cost_and_equals_are_shown_once(study):
    cells = study(
        ("large", "kd", 0, 0.90, 0.9),
        ("large", "at", 0, 0.90, 0.9),
        ("large", "sp", 0, 0.85, 0.9),
        ("small", "kd", 0, 0.80, 0.9),
        ("small", "at", 0, 0.70, 0.9),
    )
    assert names(front(candidates(cells), PARAMETERS)) == ["small kd", "large kd"]


def test_a_larger_network_that_is_no_better_is_not_on_the_front(study):
    cells = study(("small", "kd", 0, 0.90, 0.9), ("large", "kd", 0, 0.90, 0.95))
    assert names(front(candidates(cells), PARAMETERS)) == ["small kd"]


@pytest.mark.parametrize("missing", ["val_top1", "parameters"])
def test_what_was_not_measured_is_named_with_the_remedy(study, missing):
    cells = study(("small", "kd", 0, 0.8, 0.8), ("large", "kd", 0, 0.8, 0.8))
    cells.loc[0, missing] = np.nan
    with pytest.raises(UserError, match=rf"small by kd.*{missing}.*--pipelines evaluate"):
        choose(candidates(cells), 0.005, {PARAMETERS: 1e6})


def test_without_a_finished_cell_there_is_nothing_to_ship(study):
    cells = study(("small", "kd", 0, 0.8, None))
    assert what_to_ship(Outcomes.of(cells)).startswith("cannot be told: no cell is finished")
