"""Measures of methods are means over their finished cells; costs are of networks."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from sakd.reporting.tables.columns import MEASURED, MEASURES, OF_TEACHERS
from sakd.reporting.tables.measured import cost_rows, measure_rows
from sakd.reporting.tables.shown_measures import (
    CORRUPTED,
    QUALITY,
    SIZES,
    TIMES,
    empty,
    shown_costs,
    shown_quality,
    shown_robustness,
)

Line = dict[str, object]


@pytest.fixture
def measured(cell: Callable[..., Line]) -> pd.DataFrame:
    """Every measure of a cell is its seed, of a teacher 7; the networks of sp are rebuilt."""

    def line(distiller: str, policy: str, seed: int, top1: float | None) -> Line:
        measures = dict.fromkeys(MEASURES, float(seed)) if top1 is not None else {}
        of_teacher = {f"teacher_{name}": 7.0 for name in OF_TEACHERS}
        network = "s@t" if distiller == "sp" else "s"
        made = cell(distiller, policy, seed, top1, seconds=10.0, network=network, **of_teacher)
        return made | measures

    methods = [("none", "none"), ("sp", "adaptive"), ("sp", "always"), ("kd", "always")]
    lines = [line(*method, seed, 0.5) for seed in (1, 2) for method in methods]
    return pd.DataFrame([*lines, line("kd", "always", 3, None)])


def test_means_are_of_finished_cells_in_the_order_of_the_grid(measured: pd.DataFrame) -> None:
    rows = measure_rows(measured)
    assert list(zip(rows["distiller"], rows["policy"], rows["n"], strict=True)) == [
        ("teacher", "none", 1),
        ("student alone", "none", 2),
        ("sp", "always", 2),
        ("sp", "adaptive", 2),
        ("kd", "always", 2),
    ]
    for name in MEASURES:
        expected = 7.0 if name in OF_TEACHERS else pytest.approx(float("nan"), nan_ok=True)
        assert rows.loc[0, name] == expected
        assert list(rows.loc[1:, name]) == [1.5] * 4
    assert list(rows.loc[1:, "seconds"]) == [10.0] * 4


def test_every_network_costs_once(measured: pd.DataFrame) -> None:
    rows = cost_rows(measured)
    assert list(zip(rows["network"], rows["role"], strict=True)) == [
        ("t", "teacher"),
        ("s", "student"),
        ("s@t", "student"),
    ]
    assert list(rows["macs"]) == [7.0, 1.0, 1.0]


def test_every_measure_has_a_place_in_a_table() -> None:
    shown = {*QUALITY, *CORRUPTED, *SIZES, *TIMES}
    assert set(MEASURES) <= shown <= {*MEASURED}


def test_each_is_shown_in_its_unit(measured: pd.DataFrame) -> None:
    values = {
        **{"test_nll": 1.23456, "test_ece": 0.0123, "temperature": 1.5, "test_top5": float("nan")},
        **{"parameters": 77754, "macs": 763520, "file_bytes": 318520, "peak_bytes": 1378736},
        **{"latency_b1_p50_ms": 0.2531, "test_corrupted": 0.5, "test_corrupted_noise": 0.25},
    }
    table = measured.assign(**values)
    quality = shown_quality(table).text.set_index(["distiller", "policy"]).loc[("kd", "always")]
    shown = ["NLL", "ECE %", "temperature", "top-5 %", "training s", "n"]
    assert list(quality[shown]) == ["1.235", "1.23", "1.50", "-", "10", "2"]
    robust = shown_robustness(table).text.iloc[1]
    assert list(robust[["corrupted, mean", "noise"]]) == ["50.00", "25.00"]
    costs = shown_costs(table).text.set_index("network").loc["s"]
    shown = ["parameters", "million MACs", "file, MB", "memory, MB", "batch 1 p50, ms"]
    assert list(costs[shown]) == ["77,754", "0.76", "0.32", "1.38", "0.25"]


def test_tables_of_what_was_not_measured_are_empty(
    measured: pd.DataFrame, results: pd.DataFrame
) -> None:
    for show in (shown_quality, shown_robustness, shown_costs):
        assert not empty(show(measured).text)
    for show in (shown_robustness, shown_costs):
        assert empty(show(results).text)
