from __future__ import annotations

import math

import pandas as pd
import pytest

from sakd.reporting import reference_rows, selection_rows


def models(results):
    return reference_rows(results).set_index("model")


def test_the_reference_rows_are_teacher_student_alone_and_kd_by_hand(results):
    rows = models(results)
    assert list(rows.index) == ["teacher", "student alone", "KD"]
    assert rows.loc["student alone", "mean"] == pytest.approx(0.72)
    assert rows.loc["student alone", "sd"] == pytest.approx(0.02)
    assert rows.loc["KD", "mean"] == pytest.approx(0.82)
    assert rows.loc["KD", "n"] == 3


def test_one_teacher_for_all_seeds_counts_once(results):
    teacher = models(results).loc["teacher"]
    assert (teacher["mean"], teacher["n"]) == (pytest.approx(0.90), 1)
    assert math.isnan(teacher["sd"])


def test_one_teacher_counts_once_however_many_cells_each_seed_has(cell):
    methods = [("none", "always", 0), ("kd", "always", 0), ("at", "always", 0), ("kd", "always", 1)]
    frame = pd.DataFrame([cell(*method, 0.5, teacher_test_top1=30 / 38) for method in methods])
    teacher = models(frame).loc["teacher"]
    assert (teacher["mean"], teacher["n"]) == (30 / 38, 1)


def test_a_teacher_of_each_seed_counts_once_per_seed(cell):
    frame = pd.DataFrame(
        [
            cell(distiller, "always", seed, 0.5, teacher_test_top1=0.8 + 0.1 * seed)
            for distiller in ("kd", "at")
            for seed in (0, 1)
        ]
    )
    teacher = models(frame).loc["teacher"]
    assert teacher["mean"] == pytest.approx(0.85)
    assert teacher["sd"] == pytest.approx(0.1 / math.sqrt(2))
    assert teacher["n"] == 2


def test_a_reference_without_a_result_stays_with_n_zero(cell):
    rows = models(pd.DataFrame([cell("at", "always", 0, 0.5), cell("none", "none", 0, None)]))
    assert list(rows["n"]) == [0, 0, 0]
    assert rows["mean"].isna().all()


def test_the_selection_rows_keep_last_selected_and_best_apart(results):
    rows = selection_rows(results).set_index(["distiller", "policy"])
    kd = rows.loc[("kd", "always")]
    assert kd["last"] == pytest.approx(0.82)
    assert kd["val_selected"] == pytest.approx(0.81)
    assert kd["best"] == pytest.approx(0.84)
    assert [kd[f"{name}_sd"] for name in ("last", "val_selected", "best")] == pytest.approx(
        [0.02] * 3
    )
    assert rows.loc[("at", "adaptive"), "n"] == 1


def test_the_optimism_is_that_of_each_cell_and_not_of_the_means(results):
    gained = results.assign(test_top1_best=results["test_top1"] + 0.01 * results["seed"])
    rows = selection_rows(gained).set_index(["distiller", "policy"])
    assert rows.loc[("kd", "always"), "optimism"] == pytest.approx(0.01)
    assert rows.loc[("kd", "always"), "optimism_sd"] == pytest.approx(0.01)
    assert rows.loc[("at", "adaptive"), "optimism"] == pytest.approx(0)
    assert math.isnan(rows.loc[("at", "adaptive"), "optimism_sd"])
