from __future__ import annotations

import pandas as pd
import pytest

from sakd.distillers import DISTILLERS
from sakd.reporting import console_table

ALONE = [name for name, kind in DISTILLERS.items() if kind.stands_alone]


def test_the_console_table_shows_percent_points_and_n_of_the_hand_example(results):
    text = console_table(results)
    assert "student alone (s)" in text
    assert "72.00 ± 2.00 (n=3)" in text
    kd = next(line for line in text.splitlines() if line.startswith("kd"))
    assert kd.split("  ")[0] == "kd"
    for shown in ("82.00 ± 2.00", "84.00 ± 3.00", "+2.00", "[-0.48, +4.48] (seeds alone)"):
        assert shown in kd


def test_reference_rows_come_before_the_paired_table(results):
    text = console_table(results)
    assert text.index("teacher (t)") < text.index("all (pooled)")


def test_the_pooled_line_carries_its_footnote(results):
    assert "no replications" in " ".join(console_table(results).split())
    one = console_table(results[results["distiller"] != "at"])
    assert "pooled" not in one


@pytest.mark.parametrize("name", ALONE)
def test_the_footnote_names_who_is_not_pooled_where_there_is_one(cell, results, name):
    assert "left out:" not in console_table(results)
    alone = [cell(name, policy, 0, 0.5) for policy in ("always", "adaptive")]
    text = console_table(pd.DataFrame([*results.to_dict("records"), *alone]))
    assert f"{name} left out: neither KD" in " ".join(text.split())


def test_the_console_table_fits_120_columns_for_long_names(cell):
    names = {"dataset": "d" * 60, "teacher": "t" * 60, "student": "s" * 60}
    frame = pd.DataFrame(
        [
            cell("distiller" * 9, policy, seed, 1.0 if seed else 0.0, **names)
            for policy in ("always", "random_matched")
            for seed in (0, 1)
        ]
    )
    assert max(len(line) for line in console_table(frame).splitlines()) <= 120


@pytest.mark.parametrize("policy", ["adaptive", "random_matched", "package.policies:Mine"])
def test_rows_of_collapsed_routers_are_marked_within_120_columns(
    cell, history, predictions, policy
):
    tops = {"always": 0.93, policy: 0.91}
    lines = [
        cell(distiller, name, seed, top1 - 0.01 * seed)
        for distiller in ("category_logits", "at")
        for name, top1 in tops.items()
        for seed in range(3)
    ]
    frame = pd.DataFrame(lines)
    rates = history(frame)
    rates[["gate_rate/stage1", "gate_rate/logits"]] = 1.0
    rates.loc[rates["epoch"] == 1, "gate_rate/logits"] = 0.5
    text = console_table(frame, history=rates, predictions=predictions(frame))
    assert text.count("= always but for 1 epoch") == 4
    assert max(map(len, text.splitlines())) <= 120


def test_verdicts_are_the_last_lines(results, history, predictions):
    text = console_table(results, history=history(results), predictions=predictions(results))
    *_, said = text.split("\n\n")
    assert said.startswith("verdict: distillation helps by")
    assert "verdict: adaptivity" in said
    assert "seeds alone" not in text


def test_several_comparisons_share_a_table_after_the_accuracies(cell):
    tops = {"always": 0.8, "adaptive": 0.9, "random_matched": 0.85, "anti": 0.7, "random": 0.81}
    lines = [
        cell("kd", policy, seed, top1 + 0.01 * seed)
        for policy, top1 in tops.items()
        for seed in range(3)
    ]
    text = console_table(pd.DataFrame(lines).assign(distiller="at"))
    found = text.splitlines()
    assert not [line for line in found if line.startswith("KD")]
    levels = [line.split()[1] for line in found if line.startswith("at ")]
    assert levels == [*tops]
    (head,) = (line for line in found if line.startswith("difference"))
    rows = [line.split("  ")[0] for line in found[found.index(head) + 2 :][:3]]
    assert rows == ["adaptive - always", "adaptive - random_matched", "adaptive - anti"]
    assert "random - always" not in text
    assert "random (- always)" not in text
    assert max(map(len, found)) <= 120


def test_one_seed_is_shown_without_sd_and_warned_about(cell):
    frame = pd.DataFrame([cell("kd", "always", 0, 0.5), cell("kd", "adaptive", 0, 0.49)])
    text = console_table(frame)
    assert "verdict: adaptivity: cannot be told from 1 seed, -1.00" in text
    assert "Fewer than 3 paired seeds in 1 of 1 difference (kd adaptive: n=1)" in text


def test_failed_cells_are_counted_in_the_footer(results):
    assert "No result from 1 of 13 cells" in console_table(results)


def test_without_a_second_policy_the_distillers_are_listed_alone(results):
    text = console_table(results[results["policy"] != "adaptive"])
    assert "82.00 ± 2.00 (n=3)" in text
    assert "difference" not in text
    assert "No policy to compare" in text


def test_without_plain_distillation_the_levels_are_listed(cell):
    lines = [
        cell("kd", policy, seed, 0.5)
        for policy in ("adaptive", "anti", "random")
        for seed in range(3)
    ]
    text = console_table(pd.DataFrame(lines))
    assert "distiller        anti %    adaptive %  points" in text
    assert (
        sum(line.startswith("kd  ") and "50.00 ± 0.00 (n=3)" in line for line in text.splitlines())
        == 3
    )


def test_test_images_are_counted_by_cell_and_in_all(results, predictions, data):
    shared = predictions(results, 360)
    text = console_table(results, data(), predictions=shared)
    assert "(mean ± sd), 360 images\n" in text
    own = shared.assign(content=shared["content"] + shared["cell"].str[-2:])
    text = console_table(results, data(), predictions=own)
    assert "(mean ± sd), 360 images each, 1,080 different\n" in text
    last = own["cell"].str.endswith("s2") & (own["image"] == 0)
    text = console_table(results, data(), predictions=own[~last])
    assert "(mean ± sd), 359 to 360 images each, 1,079 different\n" in text


def test_no_cells_make_no_table(results):
    assert "No policy to compare" in console_table(results.iloc[:0])


def test_names_stay_readable_where_intervals_are_of_seeds_alone(cell, history):
    lines = [
        cell("category_logits", policy, seed, top1 - 0.01 * seed * top1)
        for policy, top1 in (("always", 0.9), ("random_matched", 0.8))
        for seed in range(3)
    ]
    frame = pd.DataFrame(lines)
    rates = history(frame).assign(**{"gate_rate/stage1": 1.0, "gate_rate/logits": 1.0})
    text = console_table(frame, history=rates)
    (row,) = (line for line in text.splitlines() if line.startswith("category_..."))
    assert "= always but for 0 epochs" in row
    assert "(seeds alone)" in row
