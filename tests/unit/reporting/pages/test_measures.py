"""The section on measures: its tables, and the reasons for what is empty in them."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from sakd.data import DataCard
from sakd.reporting import report, report_markdown
from sakd.reporting.pages.measures import measures_section
from sakd.reporting.pages.sections import Tabular, Text
from sakd.reporting.tables.columns import MEASURES, OF_TEACHERS
from sakd.reporting.tables.frames import prepared

Card = Callable[..., DataCard]


@pytest.fixture
def measured(results: pd.DataFrame) -> pd.DataFrame:
    """Measures of all but top-5, as of two classes."""
    values = dict.fromkeys((name for name in MEASURES if name != "test_top5"), 0.25)
    of_teachers = {f"teacher_{name}": 0.5 for name in OF_TEACHERS if name != "test_top5"}
    return results.assign(**values, **of_teachers, network="s")


@pytest.fixture
def predictions(measured: pd.DataFrame) -> pd.DataFrame:
    """The student alone and the teacher are right on all 40 images, the others on the last 20."""
    tables = []
    for cell in [*measured["cell"], "digits-t-teacher"]:
        right = (
            [True] * 40 if "none-none" in cell or "teacher" in cell else [False] * 20 + [True] * 20
        )
        table = {"cell": cell, "image": range(40), "label": [0] * 20 + [1] * 20, "right": right}
        tables.append(pd.DataFrame(table).assign(content=[f"{k:02x}" for k in range(40)]))
    return pd.concat(tables, ignore_index=True)


def tables(measured: pd.DataFrame, *more: object) -> dict[str, Tabular]:
    sections = measures_section(prepared(measured), *more)
    blocks = [block for section in sections for block in section.blocks]
    return {block.caption: block for block in blocks if isinstance(block, Tabular)}


def test_the_tables_of_one_pair_and_the_cost(
    measured: pd.DataFrame, predictions: pd.DataFrame, data: Card
) -> None:
    assert list(tables(measured, predictions, data())) == [
        "Quality",
        "Accuracy under corruptions, %",
        "Accuracy by class, %",
        "Classes that distillation hurts",
        "Cost of the networks",
    ]


def test_tables_of_several_pairs_name_theirs(measured: pd.DataFrame) -> None:
    both = pd.concat([measured, measured.assign(student="other")], ignore_index=True)
    found = tables(both, None, None)
    assert "Quality of digits: t -> s" in found
    assert "Quality of digits: t -> other" in found
    assert sum("Cost" in caption for caption in found) == 1


def test_what_is_empty_has_its_reason(measured: pd.DataFrame) -> None:
    quality = tables(measured, None, None)["Quality"]
    assert set(quality.frame["top-5 %"]) == {"-"}
    assert list(quality.frame["KL"])[:2] == ["-", "0.250"]
    for reason in ("five classes or fewer", "A teacher has no agreement"):
        assert reason in quality.note
    assert "without a finished cell" not in quality.note
    failed = measured.assign(status="failed")
    assert "without a finished cell" in tables(failed, None, None)["Quality"].note
    full = measured.assign(test_top5=0.9, teacher_test_top5=0.9)
    assert "five classes" not in tables(full, None, None)["Quality"].note


def test_the_hurt_classes_are_named_with_a_caution(
    measured: pd.DataFrame, predictions: pd.DataFrame, data: Card
) -> None:
    found = tables(measured, predictions, data())
    by_class = found["Accuracy by class, %"].frame.set_index("class").loc["ant"]
    assert list(by_class[["images", "teacher", "student alone", "distilled, mean"]]) == [
        *("20 (few)", "100.00", "100.00", "0.00"),
    ]
    hurt = found["Classes that distillation hurts"]
    assert set(hurt.frame["class"]) == {"ant"}
    assert list(hurt.frame["distiller"] + " " + hurt.frame["policy"]) == [
        "kd always",
        "kd adaptive",
    ]
    assert "Of 8 comparisons" in hurt.note
    assert "about 0.2 would be named by chance" in hurt.note
    assert "few images or seeds" in hurt.note


def test_where_none_is_hurt_a_line_says_so(
    measured: pd.DataFrame, predictions: pd.DataFrame, data: Card
) -> None:
    (section,) = measures_section(prepared(measured), predictions.assign(right=True), data())
    lines = [block.text for block in section.blocks if isinstance(block, Text)]
    assert any("hurts: none in 8 comparisons" in line for line in lines)


def test_of_many_classes_the_worst_are_shown(
    measured: pd.DataFrame, predictions: pd.DataFrame
) -> None:
    many = predictions.assign(label=predictions["image"] % 30)
    many["right"] |= many["label"] != 7
    shown = tables(measured, many, None)["Accuracy by class, %"].frame
    assert len(shown) == 20
    assert shown["class"].iloc[0] == "7"


def test_the_report_has_the_section_where_something_was_measured(
    measured: pd.DataFrame, results: pd.DataFrame, history: Callable[..., pd.DataFrame]
) -> None:
    assert "## Measures" in report_markdown(report(measured, history(measured)))
    plain = results.drop(columns=["seconds", "test_balanced", "teacher_test_balanced"])
    assert "## Measures" not in report_markdown(report(plain, history(plain)))
