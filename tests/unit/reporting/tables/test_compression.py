"""Accuracy and cost in one number, from the lines of results."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from sakd.reporting.pages.compression import compression_tables
from sakd.reporting.tables.compression import compression_rows, method_rows
from sakd.reporting.tables.frames import prepared

MACS = {"resnet8": 12.5e6, "resnet14": 26.7e6, "resnet20": 40.8e6}
ALONE = {"resnet8": 0.60, "resnet14": 0.66, "resnet20": 0.70}
METHOD = {"resnet8": 0.63, "resnet14": 0.68, "resnet20": 0.71}


@pytest.fixture
def study(cell):
    """Make results of students alone and by kd, by student and seed."""

    def make(students=tuple(MACS), seeds=(0,), shift=0.0, **changes):
        lines = []
        for student in students:
            for seed in seeds:
                for distiller, levels in (("none", ALONE), ("kd", METHOD)):
                    policy = "none" if distiller == "none" else "always"
                    costs = {"parameters": 1e5, "macs": MACS[student]}
                    costs |= {"teacher_macs": 100e6, "teacher_parameters": 1e6}
                    line = cell(
                        distiller,
                        policy,
                        seed,
                        levels[student] + shift * seed,
                        student=student,
                        teacher_test_top1=0.75,
                    )
                    name = f"{student}-{distiller}-{seed}"
                    lines.append(line | {"cell": name, **costs} | changes)
        return prepared(pd.DataFrame(lines))

    return make


def test_equal_cost_is_read_from_the_students_alone(study):
    rows = compression_rows(study()).set_index("student")
    assert rows.loc["resnet8", "equal_cost"] == pytest.approx(1.4615, abs=5e-5)
    assert rows.loc["resnet20", "bound"] == "> "
    assert rows.loc["resnet8", "compression"] == pytest.approx(8)
    assert rows.loc["resnet8", "recovered"] == pytest.approx(0.03 / 0.15)
    assert list(rows["distiller"].unique()) == ["kd"]


def test_without_a_second_student_there_is_no_equal_cost(study):
    (row,) = compression_rows(study(["resnet8"])).to_dict("records")
    assert math.isnan(row["equal_cost"])
    assert method_rows(study(["resnet8"]), 10).empty


def test_cost_at_equal_accuracy_has_an_interval_over_seeds(study):
    (one,) = method_rows(study(), 100).to_dict("records")
    assert (one["bd_cost"], one["n"]) == (pytest.approx(-0.2370, abs=5e-5), 1)
    assert math.isnan(one["low"])
    assert one["hypervolume"] == pytest.approx(0.600270, abs=5e-7)
    assert one["hypervolume_alone"] == pytest.approx(0.582806, abs=5e-7)
    (two,) = method_rows(study(seeds=(0, 1), shift=0.01).assign(), 100).to_dict("records")
    assert two["n"] == 2
    assert two["students"] == 3


def test_results_without_costs_have_no_tables(study, data):
    assert list(compression_tables(study(macs=math.nan), data())) == []
    tables = list(compression_tables(study(), data()))
    assert [table.name for table in tables] == ["compression", "families"]
    assert tables[0].frame["equal cost"].tolist()[0] == "1.46x"
    assert [table.name for table in compression_tables(study(), None)] == ["compression"]
