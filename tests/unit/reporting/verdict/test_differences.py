from __future__ import annotations

import numpy as np
import pytest

from sakd.evidence import holm
from sakd.reporting.tables.contrasts import Contrast, difference, duels, pooled
from sakd.reporting.verdict.differences import (
    adjusted,
    asked,
    policy_table,
    question_table,
    questions,
    sentences,
)
from sakd.reporting.verdict.part import Part

CHOICE = Contrast("adaptive", "random_matched")


def test_every_teacher_is_judged_by_its_own_cells(part):
    found = {one.teacher: one for one in asked(part, {"choice": CHOICE}, each=False)}
    assert list(found) == ["good", "bad@brief"]
    for teacher, one in found.items():
        cells = part.cells[part.cells["teacher"] == teacher]
        expected = difference(part.outcomes, pooled(duels(cells, CHOICE)))
        assert one.found == expected
        assert one.found.seeds == 4


def test_all_differences_of_a_table_are_one_family(part):
    family = questions(part, each=True)
    assert len(family) == 2 * 5 * 2  # teachers, questions, distillers
    expected = holm(np.array([float(one.found.estimate.p) for one in family]))
    assert adjusted(family) == pytest.approx(expected)


def test_a_difference_that_only_its_own_p_value_shows_is_none(part):
    family = questions(part, each=True)
    table = question_table(family, 0.005)
    for one, p, reading in zip(family, adjusted(family), table["reading"], strict=True):
        if p >= 0.05:
            assert reading not in ("higher", "lower")
        assert (reading in ("higher", "lower")) == (p < 0.05)
        assert one.found.enough
    assert "higher" in set(table["reading"])


def test_the_student_alone_is_named(part):
    table = question_table(questions(part), 0.005)
    assert table["difference"].iloc[0] == "always - student alone"


def test_the_random_choice_is_a_control_too(part):
    assert "adaptive - random" in set(question_table(questions(part), 0.005)["difference"])


def test_few_seeds_are_no_reading(study):
    results, *rest = study
    part = Part.of(results[results["seed"] < 2], *rest)
    table = question_table(questions(part), 0.005)
    assert set(table["reading"]) == {"too few seeds"}
    assert set(table["p (Holm)"]) == {"-"}


def test_stars_mark_what_holds_for_the_whole_table(part):
    table = policy_table(part).set_index("policy")
    assert list(table.columns) == ["good", "bad@brief"]
    assert table.loc["anti"].str.endswith(" *").all()
    assert not table.loc["adaptive"].str.endswith(" *").any()


def test_the_sentences_name_teacher_question_and_collapsed_routers(part):
    said = sentences(part)
    assert len(said) == 2 * 5
    (line,) = (s for s in said if s.startswith("good: the choice over its opposite"))
    assert "helps by +" in line
    assert "8 of 8 cells" in line
    bad = [line for line in said if line.startswith("bad@brief")]
    assert len(bad) == 5
    assert not any("collapsed" in line for line in bad)
