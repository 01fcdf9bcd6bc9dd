from __future__ import annotations

import pandas as pd
import pytest

from sakd.reporting import gains, gate_rates, learning_curves
from sakd.reporting.figures.lines import apart
from sakd.reporting.tables.paired import POOLED


def named(figure, name):
    return [trace for trace in figure.data if trace.name == name]


def titles(figure):
    return [title.text for title in figure.layout.annotations]


def says(figure):
    return figure.layout.annotations[0].text


def labels(figure):
    return [trace for trace in figure.data if trace.text is not None]


def bands(figure):
    return [trace for trace in figure.data if trace.fill]


def test_a_learning_curve_is_the_mean_over_seeds_in_percent(results, history):
    figure = learning_curves(history(results), results)
    (curve, _) = named(figure, "always")
    assert list(curve.x) == [1, 2]
    assert list(curve.y) == pytest.approx([41.0, 82.0])
    assert curve.hovertemplate.endswith("n=3)")


def test_the_band_of_a_curve_is_a_standard_deviation_wide_and_one_seed_has_none(results, history):
    figure = learning_curves(history(results), results)
    # kd: always, adaptive, student alone; at: always, student alone, and one cell under adaptive.
    assert len(bands(figure)) == 5
    assert list(bands(figure)[0].y) == pytest.approx([40.0, 80.0, 84.0, 42.0])
    assert list(bands(figure)[0].x) == [1, 2, 2, 1]


def test_each_distiller_has_a_panel_with_the_student_alone_in_it(results, history):
    figure = learning_curves(history(results), results)
    assert titles(figure) == ["kd", "at"]
    alone = named(figure, "student alone")
    assert len({curve.xaxis for curve in alone}) == len(alone) == 2
    _, of_at = named(figure, "adaptive")
    assert of_at.hovertemplate.endswith("n=1)")


def test_a_student_alone_without_distillers_has_a_curve(cell, history):
    frame = pd.DataFrame([cell("none", "none", seed, 0.5) for seed in (0, 1)])
    figure = learning_curves(history(frame), frame)
    assert titles(figure) == ["student alone"]
    assert len(named(figure, "student alone")) == 1


def test_a_curve_whose_cells_end_at_different_epochs_counts_them_point_by_point(results, history):
    shorter = history(results).query("epoch < 2 or cell != 'digits-t-s-kd-always-s0'")
    curve, _ = named(learning_curves(shorter, results), "always")
    assert list(curve.customdata) == [3, 2]
    assert "n=%{customdata}" in curve.hovertemplate


def test_lines_of_a_panel_differ_by_colour_marker_and_dash_and_are_named_at_their_ends(
    results, history
):
    figure = learning_curves(history(results), results)
    lines = [named(figure, name)[0] for name in ("always", "adaptive", "student alone")]
    names, _ = labels(figure)
    assert list(names.text) == ["always", "adaptive", "student alone"]
    assert [line.line.color for line in lines] == list(names.marker.color)
    assert [line.marker.symbol for line in lines] == list(names.marker.symbol)
    assert len(set(names.marker.color)) == len({line.line.dash for line in lines}) == 3
    assert len({line.marker.symbol for line in lines[:2]}) == 2


def test_curves_show_the_later_half_and_the_spread_of_their_seeds(cell):
    frame = pd.DataFrame([cell("kd", "always", seed, 0.8) for seed in (0, 1)])
    epochs = range(1, 101)
    history = pd.DataFrame(
        [
            {"cell": name, "epoch": epoch, "val_top1": epoch / 200 + lift}
            for name, lift in zip(frame["cell"], (0, 0.02), strict=True)
            for epoch in epochs
        ]
    )
    figure = learning_curves(history, frame)
    low, high = figure.layout.yaxis.range
    assert 20 < low < 26
    assert 52 < high < 56
    assert 45 < figure.layout.xaxis.range[0] < 50
    (curve,) = named(figure, "always")
    assert len(curve.x) == 24
    assert (curve.x[0], curve.x[-1]) == (1, 100)


def test_each_pair_has_a_panel_with_its_name(results, history):
    other = results.assign(student="u", cell=results["cell"] + "-u")
    both = pd.concat([results, other], ignore_index=True)
    figure = learning_curves(history(both), both)
    assert titles(figure)[2:] == ["kd | digits: t -&gt; u", "at | digits: t -&gt; u"]


def test_labels_that_would_meet_move_apart_in_their_order():
    assert apart([1.0, 5.0, 1.2], 1.0, 0, 10) == [0.2, 5.0, 1.2]
    assert apart([0.1, 0.0, 9.9, 10.0], 1.0, 0, 10) == [1.0, 0.0, 9.0, 10.0]


def test_gate_rates_are_means_of_the_adaptive_cells_with_logits_last(results, history):
    frame = history(results, {"digits-t-s-kd-adaptive-s0": (0.1, 0.9)})
    figure = gate_rates(frame, results)
    assert titles(figure) == ["kd", "at"]
    assert list(labels(figure)[0].text) == ["stage1", "logits"]
    stage1, logits = named(figure, "stage1")[0], named(figure, "logits")[0]
    assert list(stage1.y) == pytest.approx([0.5, (0.1 + 0.4 + 0.4) / 3])
    assert stage1.line.color != logits.line.color


def test_of_many_gate_rates_there_is_a_panel_for_each_policy(cell, history):
    lines = [cell(f"d{number}", "adaptive", 0, 0.5) for number in range(30)]
    frame = pd.DataFrame(lines)
    figure = gate_rates(history(frame), frame)
    assert titles(figure) == ["mean of distillers"]
    assert named(figure, "stage1")[0].hovertemplate.endswith("n=30)")


@pytest.mark.parametrize("policy", ["anti", "random_matched", "elsewhere.policies:Mine"])
def test_gate_rates_are_shown_under_every_policy_that_may_collapse(cell, history, policy):
    adaptive, other = cell("kd", "adaptive", 0, 0.5), cell("kd", policy, 0, 0.5)
    frame = pd.DataFrame([adaptive, other])
    rates = history(frame, {adaptive["cell"]: (0.1, 0.2), other["cell"]: (0.3, 0.4)})
    rates.loc[rates["cell"] == other["cell"], "gate_rate/stage1"] = 0.3
    figure = gate_rates(rates, frame)
    assert titles(figure) == ["kd, adaptive", f"kd, {policy}"]
    assert [curve.y[-1] for curve in named(figure, "stage1")] == [0.1, 0.3]


def test_the_rate_of_weights_is_their_effective_share(cell):
    frame = pd.DataFrame([cell("kd", "elsewhere.policies:Mine", 0, 0.5)])
    rates = {"gate_rate/logits": [1.0, 1.0], "effective_share/logits": [0.7, 0.8]}
    history = pd.DataFrame({"cell": frame["cell"][0], "epoch": [1, 2], **rates})
    (curve,) = named(gate_rates(history, frame), "logits")
    assert list(curve.y) == [0.7, 0.8]


def test_strengths_of_transfer_are_shown_under_every_policy_and_given_rates_are_not(cell):
    lines = [cell("l2tww", policy, 0, 0.5) for policy in ("always", "adaptive")]
    rates = {"gate_rate/stage1": 1.0, "transfer_rate/stage2-stage1": 0.25}
    history = pd.DataFrame([{"cell": line["cell"], "epoch": 1, **rates} for line in lines])
    figure = gate_rates(history, pd.DataFrame(lines))
    assert titles(figure) == ["l2tww, always", "l2tww, adaptive"]
    shown = [(curve.name, list(curve.y)) for curve in figure.data if curve.name]
    assert shown == [("stage2-stage1", [0.25]), ("stage1", [1.0]), ("stage2-stage1", [0.25])]


def test_a_policy_with_given_rates_and_the_student_alone_have_no_gate_rates(cell):
    for line in (cell("kd", "random", 0, 0.5), cell("none", "none", 0, 0.5)):
        rates = pd.DataFrame([{"cell": line["cell"], "epoch": 1, "gate_rate/stage1": 0.5}])
        assert says(gate_rates(rates, pd.DataFrame([line]))).startswith("No gate rates")


def test_the_gain_figure_shows_mean_interval_and_single_seeds(results):
    seeds, means = gains(results).data
    assert sorted(seeds.x) == pytest.approx([0, 1, 2, 3])
    assert list(means.x) == pytest.approx([2.0, 0.0, 1.83])
    assert means.error_x.array[0] == pytest.approx(2.48)
    assert means.error_x.array[1] == 0
    assert means.marker.symbol == ("circle", "diamond", "diamond")


def test_distillers_of_the_gain_figure_differ_by_colour_and_marker_and_are_named(results):
    figure = gains(results)
    _, means = figure.data
    assert list(figure.layout.yaxis.ticktext) == ["kd", "at", POOLED]
    assert len(set(zip(means.marker.color, means.marker.symbol, strict=True))) == 3


def test_the_gain_figure_shades_the_differences_that_do_not_matter(results):
    (shade,) = gains(results, margin=0.0075).layout.shapes
    assert (shade.x0, shade.x1) == (-0.75, 0.75)


def test_the_gain_figure_marks_policies_that_stopped_choosing(results, history):
    collapsed = {f"digits-t-s-at-adaptive-s{seed}": (1.0, 1.0) for seed in range(3)}
    figure = gains(results, history(results, collapsed))
    _, means = figure.data
    assert means.marker.symbol == ("circle", "diamond-open", "diamond", "diamond")
    assert figure.layout.yaxis.ticktext[1] == "at<br><sup>= always but for 1 epoch</sup>"
    assert "= always but for 1 epoch" in means.text[1]


def test_the_gain_figure_pools_only_several_distillers(results):
    assert POOLED in gains(results).layout.yaxis.ticktext
    one = gains(results[results["distiller"] != "at"])
    assert list(one.layout.yaxis.ticktext) == ["kd"]


def test_each_policy_has_a_panel_of_the_same_range_in_the_gain_figure(cell, results):
    assert titles(gains(results)) == ["adaptive - always"]
    more = pd.concat([results, pd.DataFrame([cell("kd", "anti", 0, 0.7)])], ignore_index=True)
    figure = gains(more)
    assert titles(figure) == ["adaptive - always", "anti - always"]
    assert figure.layout.xaxis2.matches == "x"


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
