from __future__ import annotations

import pandas as pd
import pytest

from sakd.reporting.verdict.rates import chose, epoch_rates, moments, router_table, spot_table


def test_a_policy_that_weighs_counts_by_its_effective_share(part):
    rates = epoch_rates(part)
    means = rates.groupby("policy")["rate"].agg(["min", "max"])
    assert means.loc["prime"].tolist() == pytest.approx([0.9, 0.9])
    assert means.loc["adaptive"].tolist() == pytest.approx([0.4, 1.0])
    assert set(rates["policy"]) == {"adaptive", "random_matched", "anti", "prime"}


def test_a_policy_chooses_while_one_spot_is_between_its_ends_in_the_last_epoch():
    named = dict.fromkeys(("dataset", "teacher", "student", "distiller", "policy"), "x")
    rates = {0: (0.5, 0.951), 1: (1.0, 0.949), 2: (0.05, 0.95), 3: (0.051, 0.0)}
    lines = [
        {**named, "seed": seed, "epoch": epoch, "spot": f"s{epoch}", "rate": value}
        for seed, values in rates.items()
        for epoch, value in enumerate(values, 1)
    ]
    lines += [{**line, "spot": "other", "rate": 1.0} for line in lines]
    assert chose(pd.DataFrame(lines)).tolist() == [False, True, False, False]


def test_routers_are_counted_by_teacher(part):
    table = router_table(part).set_index(["teacher", "distiller", "policy"])
    assert table.loc[("good", "at", "adaptive"), "chose to the end"] == "0 of 4"
    assert table.loc[("good", "at", "adaptive"), "collapsed"] == "= always but for 1 epoch"
    assert table.loc[("bad@brief", "at", "adaptive"), "chose to the end"] == "4 of 4"
    assert table.loc[("bad@brief", "at", "adaptive"), "collapsed"] == "none"
    assert table.loc[("bad@brief", "kd", "adaptive"), ["epoch 1", "epoch 2"]].tolist() == [
        *("0.50", "0.50"),
    ]
    assert "always" not in table.index.get_level_values("policy")


def test_each_spot_has_its_mean_and_its_extremes(part):
    table = spot_table(part, "adaptive").set_index(["teacher", "distiller", "spot"])
    teachers = table.index.get_level_values("teacher").tolist()
    assert teachers == ["good"] * 4 + ["bad@brief"] * 4
    line = table.loc[("bad@brief", "kd", "stage1")]
    assert line.tolist() == ["0.40 (0.40 to 0.40)", "4 of 4"]


@pytest.mark.parametrize(("last", "shown"), [(30, (1, 5, 15, 30)), (3, (1, 3)), (1, (1,))])
def test_the_first_and_the_last_epoch_are_shown(last, shown):
    assert moments(pd.DataFrame({"epoch": range(1, last + 1)})) == shown
