from __future__ import annotations

import pandas as pd
import pytest

from sakd.reporting import gains, gate_rates, learning_curves
from sakd.reporting.tables.paired import POOLED


def named(figure, name):
    return [trace for trace in figure.data if trace.name == name]


def says(figure):
    return figure.layout.annotations[0].text


def test_a_learning_curve_is_the_mean_over_seeds_in_percent(results, history):
    figure = learning_curves(history(results), results)
    (curve,) = named(figure, "kd, always")
    assert list(curve.x) == [1, 2]
    assert list(curve.y) == pytest.approx([41.0, 82.0])
    assert curve.hovertemplate.endswith("n=3)")


def test_the_student_alone_has_a_curve_and_failed_cells_have_none(results, history):
    figure = learning_curves(history(results), results)
    assert len(named(figure, "student alone")) == 1
    (curve,) = named(figure, "at, adaptive")
    assert curve.hovertemplate.endswith("n=1)")


def test_a_curve_whose_cells_end_at_different_epochs_counts_them_point_by_point(results, history):
    shorter = history(results).query("epoch < 2 or cell != 'digits-t-s-kd-always-s0'")
    (curve,) = named(learning_curves(shorter, results), "kd, always")
    assert list(curve.customdata) == [3, 2]
    assert "n=%{customdata}" in curve.hovertemplate


def test_policies_differ_by_dash_and_share_the_colour_of_their_distiller(results, history):
    figure = learning_curves(history(results), results)
    (plain,), (routed,) = named(figure, "kd, always"), named(figure, "kd, adaptive")
    assert plain.line.color == routed.line.color
    assert plain.line.dash != routed.line.dash


def test_each_pair_has_a_panel_and_each_name_one_legend_entry(results, history):
    other = results.assign(student="u", cell=results["cell"] + "-u")
    both = pd.concat([results, other], ignore_index=True)
    figure = learning_curves(history(both), both)
    curves = named(figure, "kd, always")
    assert len({curve.xaxis for curve in curves}) == 2
    assert [curve.showlegend for curve in curves] == [True, False]


def test_gate_rates_are_means_of_the_adaptive_cells_with_logits_last(results, history):
    frame = history(results, {"digits-t-s-kd-adaptive-s0": (0.1, 0.9)})
    figure = gate_rates(frame, results)
    assert [title.text for title in figure.layout.annotations] == ["kd", "at"]
    stage1, logits = figure.data[:2]
    assert (stage1.name, logits.name) == ("stage1", "logits")
    assert list(stage1.y) == pytest.approx([0.5, (0.1 + 0.4 + 0.4) / 3])


@pytest.mark.parametrize("policy", ["anti", "random_matched", "elsewhere.policies:Mine"])
def test_gate_rates_are_shown_under_every_policy_that_may_collapse(cell, history, policy):
    adaptive, other = cell("kd", "adaptive", 0, 0.5), cell("kd", policy, 0, 0.5)
    frame = pd.DataFrame([adaptive, other])
    rates = history(frame, {adaptive["cell"]: (0.1, 0.2), other["cell"]: (0.3, 0.4)})
    rates.loc[rates["cell"] == other["cell"], "gate_rate/stage1"] = 0.3
    figure = gate_rates(rates, frame)
    assert [title.text for title in figure.layout.annotations] == ["kd, adaptive", f"kd, {policy}"]
    assert [curve.y[-1] for curve in named(figure, "stage1")] == [0.1, 0.3]


def test_the_rate_of_weights_is_their_effective_share(cell):
    frame = pd.DataFrame([cell("kd", "elsewhere.policies:Mine", 0, 0.5)])
    rates = {"gate_rate/logits": [1.0, 1.0], "effective_share/logits": [0.7, 0.8]}
    history = pd.DataFrame({"cell": frame["cell"][0], "epoch": [1, 2], **rates})
    (curve,) = gate_rates(history, frame).data
    assert list(curve.y) == [0.7, 0.8]


def test_strengths_of_transfer_are_shown_under_every_policy_and_given_rates_are_not(cell):
    lines = [cell("l2tww", policy, 0, 0.5) for policy in ("always", "adaptive")]
    rates = {"gate_rate/stage1": 1.0, "transfer_rate/stage2-stage1": 0.25}
    history = pd.DataFrame([{"cell": line["cell"], "epoch": 1, **rates} for line in lines])
    figure = gate_rates(history, pd.DataFrame(lines))
    titles = [title.text for title in figure.layout.annotations]
    assert titles == ["l2tww, always", "l2tww, adaptive"]
    shown = [(curve.name, list(curve.y)) for curve in figure.data]
    assert shown == [("stage2-stage1", [0.25]), ("stage1", [1.0]), ("stage2-stage1", [0.25])]


def test_a_policy_with_given_rates_and_the_student_alone_have_no_gate_rates(cell):
    for line in (cell("kd", "random", 0, 0.5), cell("none", "none", 0, 0.5)):
        rates = pd.DataFrame([{"cell": line["cell"], "epoch": 1, "gate_rate/stage1": 0.5}])
        assert says(gate_rates(rates, pd.DataFrame([line]))).startswith("No gate rates")


def test_the_gain_figure_shows_mean_interval_and_single_seeds(results):
    seeds, means = gains(results).data
    assert sorted(seeds.x) == pytest.approx([0, 1, 2, 3])
    assert list(means.x) == pytest.approx([2.0, 0.0, 5.5 / 3])
    assert means.error_x.array[0] == pytest.approx(2.484137712)
    assert means.error_x.array[1] == 0
    assert means.marker.symbol == ("circle", "circle", "diamond")


def test_the_gain_figure_marks_policies_that_stopped_choosing(results, history):
    collapsed = {f"digits-t-s-at-adaptive-s{seed}": (1.0, 1.0) for seed in range(3)}
    figure = gains(results, history(results, collapsed))
    _, means = figure.data
    assert means.marker.symbol == ("circle", "circle-open", "diamond", "diamond")
    assert figure.layout.yaxis.ticktext[1] == "at<br><sup>= always but for 1 epoch</sup>"
    assert "= always but for 1 epoch" in means.text[1]


def test_the_gain_figure_pools_only_several_distillers(results):
    assert POOLED in gains(results).layout.yaxis.ticktext
    one = gains(results[results["distiller"] != "at"])
    assert list(one.layout.yaxis.ticktext) == ["kd"]


def test_policies_are_named_in_the_gain_legend_only_if_there_are_several(cell, results):
    assert not any(trace.showlegend for trace in gains(results).data)
    more = pd.concat([results, pd.DataFrame([cell("kd", "anti", 0, 0.7)])], ignore_index=True)
    shown = [trace.name for trace in gains(more).data if trace.showlegend]
    assert shown == ["adaptive", "anti"]


def test_a_figure_with_nothing_to_plot_says_so(results, history):
    plain = results[results["policy"] != "adaptive"]
    failed = results.assign(status="failed")
    assert says(gains(plain)).startswith("No gain")
    assert says(gate_rates(history(plain), plain)).startswith("No gate rates")
    assert says(gate_rates(pd.DataFrame(), results)).startswith("No gate rates")
    assert says(learning_curves(pd.DataFrame(), results)).startswith("No learning curves")
    assert says(learning_curves(history(failed), failed)).startswith("No learning curves")


def test_names_from_data_are_literal_text_in_labels(cell, history):
    frame = pd.DataFrame(
        [cell("<a href='x'>", policy, 0, 0.5) for policy in ("always", "adaptive")]
    )
    figures = (
        gains(frame),
        learning_curves(history(frame), frame),
        gate_rates(history(frame), frame),
    )
    for figure in figures:
        assert "<a" not in figure.to_json().replace("\\u003c", "<")
