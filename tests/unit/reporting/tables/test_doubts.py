"""Networks near chance, weak teachers, uneven classes: said where a reader cannot miss it."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from sakd.reporting import console_table, report, report_html, report_markdown
from sakd.reporting.tables.caveats import caveats, result_caveats
from sakd.reporting.tables.chance import Majority
from sakd.reporting.tables.doubts import data_caveats, teacher_caveats
from sakd.reporting.tables.frames import prepared
from sakd.reporting.tables.reference import reference_rows

UNEVEN = {"counts": {"train": (90, 10), "val": (9, 1), "test": (75, 25)}, "imbalance": 9.0}


METHODS = [("none", "none"), ("kd", "always"), ("kd", "anti")]


@pytest.fixture
def study(cell):
    """Two cells, and a student alone with an accuracy of 0.85, under a teacher."""

    def make(teacher, distilled=0.9):
        lines = [cell("kd", policy, 0, distilled) for policy in ("always", "adaptive")]
        frame = pd.DataFrame([cell("none", "none", 0, 0.85), *lines])
        taught = frame.assign(teacher_test_top1=teacher, teacher_test_balanced=teacher / 2)
        return prepared(taught)

    return make


def test_the_majority_is_counted_on_the_test_images_by_hand(data):
    rare = Majority.of(data(classes=("a", "b", "c"), counts={"test": (60, 39, 1)}))
    assert (rare.share, rare.balanced, rare.images) == (0.6, 1 / 3, 100)
    majority = Majority.of(data(classes=("a", "b", "c"), counts={"test": (60, 40, 0)}))
    assert (majority.share, majority.balanced, majority.images) == (0.6, 0.5, 100)
    assert majority.bound == pytest.approx(0.6 + 2 * math.sqrt(0.6 * 0.4 / 100))


@pytest.mark.parametrize(
    ("teacher", "word"), [(0.59, "below chance"), (0.60, "near chance"), (0.69, "near chance")]
)
def test_a_teacher_that_is_not_clearly_above_the_majority_share_is_named(
    study, data, teacher, word
):
    found = "\n".join(teacher_caveats(study(teacher), data()))
    assert f"teacher t ({100 * teacher:.2f} %) is {word}" in found
    assert "gives 60.00 %, and up to 69.80 % is noise on 100 test images" in found


def test_a_teacher_below_the_student_alone_is_named_with_both_accuracies(study, data):
    (found,) = teacher_caveats(study(0.84), data())
    assert "teacher t (84.00 %) is below s trained alone (85.00 %)" in found
    assert list(teacher_caveats(study(0.84), None)) == [found]


@pytest.mark.parametrize("teacher", [0.85, 0.95, math.nan])
def test_of_a_teacher_that_is_good_or_unknown_nothing_is_said(study, data, teacher):
    assert list(teacher_caveats(study(teacher), data())) == []


def test_equal_accuracies_are_not_told_apart_by_the_rounding_of_their_means(cell, data):
    share = 30 / 38
    lines = [cell(*method, seed, share) for method in METHODS for seed in range(3)]
    equal = prepared(pd.DataFrame(lines).assign(teacher_test_top1=share))
    (teacher, _) = teacher_caveats(equal, data(counts={"test": (30, 8)}))
    assert "is near chance" in teacher


def test_students_near_chance_are_listed(study, data):
    (found,) = teacher_caveats(study(0.9, distilled=0.69), data())
    assert "2 students (digits-t-s-kd-always-s0, digits-t-s-kd-adaptive-s0)" in found


def test_a_teacher_of_two_students_is_named_once(study, data):
    both = pd.concat([study(0.5), study(0.5).assign(student="u")], ignore_index=True)
    found = [line for line in teacher_caveats(both, data()) if "chance" in line]
    assert len(found) == 1


def test_uneven_classes_are_said_with_ratio_and_share(data):
    (found,) = data_caveats(data(**UNEVEN))
    assert "9.0 times" in found
    assert "75.00 %" in found
    assert list(data_caveats(data())) == list(data_caveats(None)) == []


def test_classes_that_a_split_lacks_are_named(data):
    card = data(counts={"train": (9, 7), "val": (2, 0), "test": (60, 40)})
    (found,) = data_caveats(card)
    assert "No val image of 1 of 2 classes (bee)" in found


def test_every_page_and_the_terminal_say_it(study, data):
    results, card = study(0.5), data(**UNEVEN)
    content = report(results, pd.DataFrame(), data=card)
    pages = report_html(content), report_markdown(content), console_table(results, card)
    flat = [" ".join(page.split()) for page in pages]
    for caveat in result_caveats(results, card):
        assert all(caveat in page for page in flat)
    assert caveats(results, pd.DataFrame(), card) == result_caveats(results, card)


def test_on_uneven_classes_a_line_and_a_column_show_what_the_largest_class_hides(study, data):
    text = console_table(study(0.95), data(**UNEVEN)).splitlines()
    rows = {line.split("  ")[0]: line.split()[-2:] for line in text if line}
    assert "always the largest class" in rows
    assert rows["always the largest class"] == ["75.00", "50.00"]
    assert rows["teacher (t)"] == ["47.50", "(n=1)"]
    shown = next(line.split() for line in text if line.startswith("kd") and "always" in line)
    assert shown[2:] == ["90.00", "(n=1)", "45.00", "(n=1)", "0"]


def test_on_even_classes_there_is_neither(study, data):
    text = console_table(study(0.95), data())
    assert "balanced" not in text
    assert "largest class" not in text
    assert "top-1 % (mean ± sd), 100 images" in text


def test_reference_rows_can_be_of_balanced_accuracy(study):
    rows = reference_rows(study(0.95), "test_balanced").set_index("model")
    assert rows["mean"].to_dict() == pytest.approx(
        {"teacher": 0.475, "student alone": 0.425, "KD": 0.45}
    )


def test_with_few_images_everything_is_near_chance_and_nothing_above_the_whole() -> None:
    assert Majority(0.9, 0.5, 9).bound == 1.0
