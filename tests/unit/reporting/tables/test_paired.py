from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from sakd.distillers import DISTILLERS
from sakd.evidence import Reading
from sakd.foundation.errors import UserError
from sakd.reporting import paired_differences, policy_comparison
from sakd.reporting.tables.contrasts import pooled
from sakd.reporting.tables.frames import prepared
from sakd.reporting.tables.paired import CHOOSING, POOLED

ALONE = [name for name, kind in DISTILLERS.items() if kind.stands_alone]
T_TWO_DEGREES = 4.302652729911275


def line(table, distiller):
    return table[table["distiller"] == distiller].iloc[0]


def test_levels_are_mean_sd_and_n_over_seeds_by_hand(results):
    kd = line(policy_comparison(results, "adaptive"), "kd")
    assert kd["always_mean"] == pytest.approx(0.82)
    assert kd["always_sd"] == pytest.approx(0.02)
    assert kd["adaptive_mean"] == pytest.approx(0.84)
    assert kd["adaptive_sd"] == pytest.approx(0.03)
    assert (kd["always_n"], kd["adaptive_n"]) == (3, 3)


def test_the_difference_is_paired_and_has_the_t_interval_by_hand(results):
    kd = line(policy_comparison(results, "adaptive"), "kd")
    # Differences 0.01, 0.02, 0.03: mean 0.02, sd 0.01.
    assert kd["mean"] == pytest.approx(0.02)
    assert kd["sd"] == pytest.approx(0.01)
    half = T_TWO_DEGREES * 0.01 / math.sqrt(3)
    assert kd["low"] == pytest.approx(0.02 - half)
    assert kd["high"] == pytest.approx(0.02 + half)
    assert kd["failed"] == 0
    assert kd["reading"] == Reading.OPEN.value
    two = line(policy_comparison(results[results["seed"] < 2], "adaptive"), "kd")
    assert two["sd"] == pytest.approx(0.01 / math.sqrt(2))
    assert two["reading"] == Reading.UNKNOWN.value


def test_the_columns_are_those_of_the_policies_and_counts_are_whole_numbers(results):
    table = policy_comparison(results, "adaptive")
    levels = [f"{name}_{part}" for name in ("always", "adaptive") for part in ("mean", "sd", "n")]
    tests = ["mean", "sd", "n", "low", "high", "bound", "p", "holm", "reading", "images", "needed"]
    expected = ["dataset", "teacher", "student", "distiller", *levels, *tests, "router", "failed"]
    assert list(table) == expected
    whole = {name for name in table if table[name].dtype == "Int64"}
    assert whole == {"always_n", "adaptive_n", "n", "images", "needed", "failed"}
    one = policy_comparison(results[results["cell"] == "digits-t-s-kd-always-s0"], "adaptive")
    assert one[["always_n", "adaptive_n", "n"]].to_numpy().tolist() == [[1, 0, 0]]


def test_a_failed_cell_leaves_its_seed_out_of_the_pair_and_is_counted(results):
    at = line(policy_comparison(results, "adaptive"), "at")
    assert at["always_n"] == 2
    assert at["adaptive_n"] == 1
    assert at["n"] == 1
    assert at["mean"] == pytest.approx(0.0)
    assert at["failed"] == 1


def test_one_seed_has_neither_sd_nor_interval(results):
    at = line(policy_comparison(results, "adaptive"), "at")
    assert math.isnan(at["adaptive_sd"])
    assert math.isnan(at["sd"])
    assert math.isnan(at["low"])


def test_the_pooled_line_takes_every_seed_once(results):
    pooled = line(policy_comparison(results, "adaptive"), POOLED)
    # Differences 0.01, 0.02, 0.03 (kd) and 0 (at) of seeds 0, 1, 2 and 0.
    seeds = np.array([0.005, 0.02, 0.03])
    assert pooled["mean"] == pytest.approx(seeds.mean())
    assert pooled["sd"] == pytest.approx(seeds.std(ddof=1))
    assert pooled["n"] == 3
    half = T_TWO_DEGREES * seeds.std(ddof=1) / math.sqrt(3)
    assert pooled["high"] == pytest.approx(seeds.mean() + half)
    assert pd.isna(pooled["always_mean"])
    assert pooled["failed"] == 1


def test_distillers_are_no_replications(cell, predictions):
    tops = {"always": (0.80, 0.82, 0.84), "adaptive": (0.81, 0.84, 0.85)}
    frame = pd.DataFrame(
        [
            cell(distiller, policy, seed, top1)
            for distiller in ("kd", "at", "sp", "rkd")
            for policy, values in tops.items()
            for seed, top1 in enumerate(values)
        ]
    )
    for answers in (None, predictions(frame)):
        table = policy_comparison(frame, "adaptive", answers)
        pool, kd = line(table, POOLED), line(table, "kd")
        assert (pool["low"], pool["high"]) == pytest.approx((kd["low"], kd["high"]))
        assert pool["n"] == 3


def test_differences_of_a_table_are_corrected_by_holm(results):
    table = policy_comparison(results, "adaptive")
    assert line(table, "kd")["holm"] == pytest.approx(line(table, "kd")["p"])  # at has no p
    kd = results[results["distiller"] == "kd"]
    again = policy_comparison(pd.concat([kd, kd.assign(distiller="sp")]), "adaptive")
    assert line(again, "kd")["holm"] == pytest.approx(2 * line(again, "kd")["p"])


def test_the_pooled_line_is_also_given_without_routers_that_collapsed(results, history):
    gates = {f"digits-t-s-at-adaptive-s{seed}": (1.0, 1.0) for seed in range(3)}
    table = policy_comparison(results, "adaptive", history=history(results, gates))
    assert list(table["distiller"]) == ["kd", "at", POOLED, CHOOSING]
    assert list(table["router"]) == ["", "= always but for 1 epoch", "1 of 4 collapsed", ""]
    assert line(table, CHOOSING)["mean"] == pytest.approx(line(table, "kd")["mean"])
    everywhere = dict.fromkeys(results["cell"], (1.0, 1.0))
    table = policy_comparison(results, "adaptive", history=history(results, everywhere))
    assert line(table, CHOOSING)["n"] == 0


def test_one_distiller_is_not_pooled(results):
    table = policy_comparison(results[results["distiller"] != "at"], "adaptive")
    assert list(table["distiller"]) == ["kd"]


def test_seeds_that_only_one_policy_has_do_not_count(cell):
    table = policy_comparison(
        pd.DataFrame(
            [
                cell("kd", "always", 0, 0.5),
                cell("kd", "always", 1, 0.6),
                cell("kd", "adaptive", 1, 0.7),
                cell("kd", "adaptive", 2, 0.9),
            ]
        ),
        "adaptive",
    )
    assert table.loc[0, "n"] == 1
    assert table.loc[0, "mean"] == pytest.approx(0.1)
    assert table.loc[0, "always_mean"] == pytest.approx(0.55)
    assert table.loc[0, "adaptive_mean"] == pytest.approx(0.8)


def test_a_done_cell_with_a_nan_accuracy_counts_as_failed(cell):
    lines = [cell("kd", "always", 0, 0.5), cell("kd", "adaptive", 0, np.nan)]
    table = policy_comparison(pd.DataFrame(lines), "adaptive")
    assert table.loc[0, "failed"] == 1
    assert table.loc[0, "n"] == 0
    assert math.isnan(table.loc[0, "mean"])


def test_without_adaptive_cells_there_is_no_difference(results):
    table = policy_comparison(results[results["policy"] != "adaptive"], "adaptive")
    kd = line(table, "kd")
    assert kd["always_mean"] == pytest.approx(0.82)
    assert (kd["adaptive_n"], kd["n"]) == (0, 0)
    assert math.isnan(kd["mean"])


def test_every_policy_has_its_own_difference_to_always(cell):
    tops = {"always": 0.5, "adaptive": 0.6, "random": 0.4, "random_matched": 0.5, "anti": 0.3}
    frame = pd.DataFrame([cell("kd", name, 0, top1) for name, top1 in tops.items()])
    compared = [name for name in tops if name != "always"]
    found = {name: policy_comparison(frame, name).loc[0, "mean"] for name in compared}
    assert found == pytest.approx({name: tops[name] - 0.5 for name in compared})


@pytest.mark.parametrize("name", ALONE)
def test_a_distiller_without_any_loss_beside_it_is_not_pooled_with_others(cell, results, name):
    ruined = [cell(name, policy, 0, top1) for policy, top1 in (("always", 0.9), ("adaptive", 0.1))]
    table = policy_comparison(pd.DataFrame([*results.to_dict("records"), *ruined]), "adaptive")
    assert line(table, name)["mean"] == pytest.approx(-0.8)
    assert line(table, POOLED)["mean"] == pytest.approx((0.005 + 0.02 + 0.03) / 3)
    assert line(table, POOLED)["n"] == 3
    with_one = policy_comparison(
        pd.DataFrame([*results[3:9].to_dict("records"), *ruined]), "adaptive"
    )
    assert list(with_one["distiller"]) == ["kd", name]
    assert len(pooled(prepared(pd.DataFrame([cell("none", "none", 0, 0.5), *ruined])))) == 2


def test_pairs_are_never_mixed(cell):
    lines = [
        cell("kd", policy, 0, top1, student=student)
        for student, tops in {"u": (0.7, 0.6), "s": (0.5, 0.6)}.items()
        for policy, top1 in zip(("always", "adaptive"), tops, strict=True)
    ]
    differences = paired_differences(pd.DataFrame(lines), "adaptive").set_index("student")
    assert differences["difference"].to_dict() == pytest.approx({"s": 0.1, "u": -0.1})
    assert list(policy_comparison(pd.DataFrame(lines), "adaptive")["student"]) == ["u", "s"]


def test_the_results_given_are_left_as_they_were(results):
    before = results.copy(deep=True)
    policy_comparison(results, "adaptive")
    pd.testing.assert_frame_equal(results, before)


def test_the_same_cell_twice_is_refused_by_name(cell):
    frame = pd.DataFrame([cell("kd", "always", 0, 0.5), cell("kd", "always", 0, 0.6)])
    with pytest.raises(UserError, match=r"distiller=kd.*keep one"):
        policy_comparison(frame, "adaptive")


def test_a_missing_column_is_named(results):
    with pytest.raises(UserError, match=r"'test_top1'.*needed"):
        policy_comparison(results.drop(columns="test_top1"), "adaptive")


def test_results_without_a_cell_give_an_empty_table(results):
    assert policy_comparison(results.iloc[:0], "adaptive").empty
