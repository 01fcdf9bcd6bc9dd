"""Accuracy against cost: a panel for each known cost, the front by val, looks that differ."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sakd.reporting import report, report_markdown
from sakd.reporting.figures import pareto as module
from sakd.reporting.figures.pareto import pareto
from sakd.reporting.tables.frames import prepared


@pytest.fixture
def measured(results):
    """Results with costs, of which the latency is not known; val does not rise with test."""
    vals = results["test_top1"].where(results["distiller"] != "kd", 0.5)
    return results.assign(parameters=1000.0, macs=20_000.0, val_top1=vals)


def traces(figure, name):
    return [trace for trace in figure.data if trace.name == name]


def test_every_known_cost_has_a_panel_with_every_method(measured):
    figure = pareto(prepared(measured))
    assert {figure.layout.xaxis.title.text, figure.layout.xaxis2.title.text} == {
        "parameters",
        "MACs for an image",
    }
    for name, number in {"kd": 2, "at": 2, "student alone": 1}.items():
        assert [len(trace.x) for trace in traces(figure, name)] == [number, number]


def test_methods_differ_in_marker_and_colour_and_policies_in_filling(measured):
    figure = pareto(prepared(measured))
    kd, at = traces(figure, "kd")[0].marker, traces(figure, "at")[0].marker
    assert kd.color != at.color
    assert kd.symbol[0] != at.symbol[0]
    assert kd.symbol[1] == f"{kd.symbol[0]}-open"


def test_the_front_is_chosen_on_val_and_named(measured):
    (front, _) = traces(pareto(prepared(measured)), "front (by val)")
    assert list(front.text) == ["s: at/always"]
    assert front.y[0] == pytest.approx(80.5)


def test_all_of_a_few_methods_are_named_and_of_many_those_of_the_front(measured, monkeypatch):
    (front, *_), names = (traces(pareto(prepared(measured)), n) for n in ("front (by val)", None))
    assert front.mode == "lines+markers"
    assert len(names) == 2
    methods = {"s", "s: kd/always", "s: kd/adaptive", "s: at/always", "s: at/adaptive"}
    assert {name for text in names[0].text for name in text.split("<br>")} == methods
    monkeypatch.setattr(module, "MOST_NAMED", 4)
    (front, *_), names = (traces(pareto(prepared(measured)), n) for n in ("front (by val)", None))
    assert front.mode == "lines+markers+text"
    assert not names


def test_methods_of_one_accuracy_and_cost_share_a_label(measured):
    tests = measured["test_top1"].where(measured["distiller"] != "kd", 0.7)
    figure = pareto(prepared(measured.assign(test_top1=tests)))
    (names, _) = traces(figure, None)
    (place,) = (k for k, text in enumerate(names.text) if "kd" in text)
    assert names.text[place] == "s: kd/always<br>s: kd/adaptive"
    assert (names.x[place], names.y[place]) == (1000.0, pytest.approx(70.0))


def test_results_without_costs_say_so(results):
    assert "No costs to show" in pareto(prepared(results)).layout.annotations[0].text


def test_the_report_has_the_front_as_a_table(measured, history):
    page = report_markdown(report(measured, history(measured)))
    chapter = " ".join(page.partition("## Accuracy against cost")[2].split())
    assert "| s | at | always | t | 80.50 ± 0.71 (n=2) | 80.50 ± 0.71 (n=2) | 1,000 |" in chapter
    assert "what to ship" in page


def test_the_report_of_results_without_costs_has_no_such_chapter(results, history):
    page = report_markdown(report(results.assign(macs=np.nan), history(results)))
    assert "Accuracy against cost" not in page
    assert pd.isna(prepared(results)["parameters"]).all()
