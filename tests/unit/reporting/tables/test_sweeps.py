"""Sweeps: what is chosen on val, what a report shows of it, and what it says of the rest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from sakd.reporting import report, report_markdown, summary
from sakd.reporting.pages.sections import Report, Tabular, Warnings
from sakd.reporting.tables.frames import prepared
from sakd.reporting.tables.sweeps import chosen, tried

Line = dict[str, object]
Cell = Callable[..., Line]

WEIGHT = "distillation.weights.at={}".format


@pytest.fixture
def swept(cell: Cell) -> pd.DataFrame:
    """Two methods with two weights each: the best of val is not that of test."""

    def line(policy: str, weight: int, seed: int, val: float, test: float | None) -> Line:
        name = f"digits-t-s-at-{policy}-{WEIGHT(weight)}-s{seed}"
        own = {"swept": WEIGHT(weight), "setting": WEIGHT(weight), "val_top1": val, "cell": name}
        return cell("at", policy, seed, test, **own)

    lines = [cell("none", "none", seed, 0.5, swept="", setting="") for seed in (0, 1)]
    lines += [line("always", 5, 0, 0.6, 0.90), line("always", 5, 1, 0.8, 0.92)]
    lines += [line("always", 50, 0, 0.9, 0.70), line("always", 50, 1, 0.6, 0.72)]
    lines += [line("adaptive", 5, 0, 0.7, 0.80), line("adaptive", 5, 1, 0.7, 0.84)]
    lines += [line("adaptive", 50, 0, 0.9, 0.99), line("adaptive", 50, 1, np.nan, None)]
    return pd.DataFrame(lines)


def test_the_best_mean_on_val_is_chosen_for_each_method_and_only_of_what_finished(
    swept: pd.DataFrame,
) -> None:
    found = {(one.method[4], one.swept): one for one in tried(swept)}
    assert [key for key, one in found.items() if one.chosen] == [
        ("always", WEIGHT(50)),
        ("adaptive", WEIGHT(5)),
    ]
    always = found["always", WEIGHT(50)]
    assert (always.val.mean, always.test.mean) == pytest.approx((0.75, 0.71))
    assert (found["adaptive", WEIGHT(50)].val.n, found["adaptive", WEIGHT(50)].test.n) == (1, 1)


def test_of_equal_ones_the_first_is_chosen(cell: Cell) -> None:
    lines = [
        cell("at", "always", 0, 0.5, cell=str(weight), swept=WEIGHT(weight)) for weight in (9, 1)
    ]
    assert chosen(pd.DataFrame(lines)).tolist() == [True, False]


def test_without_a_sweep_every_cell_counts(results: pd.DataFrame) -> None:
    assert tried(results) == tried(results.assign(swept=np.nan)) == []
    assert chosen(results).all()


def test_all_numbers_are_of_the_chosen_cells(swept: pd.DataFrame) -> None:
    cells = prepared(swept)
    assert cells["swept"].tolist() == ["", "", *[WEIGHT(50)] * 2, *[WEIGHT(5)] * 2]
    assert len(prepared(cells)) == len(cells)
    numbers = summary(swept)
    assert numbers["top1/at/always"] == pytest.approx(0.71)
    assert numbers["gain/adaptive"] == pytest.approx(0.11)
    assert (numbers["cells_done"], numbers["cells_failed"]) == (9, 1)


def tables(content: Report, name: str) -> list[Tabular]:
    return [table for table in content.tables if table.name.startswith(name)]


def test_a_report_shows_what_was_tried_and_warns_of_the_tries(swept: pd.DataFrame) -> None:
    content = report(swept, pd.DataFrame(columns=["cell", "epoch"]))
    (table,) = tables(content, "sweep")
    shown = table.frame.set_index(["policy", "settings"])
    assert shown["chosen"].tolist() == ["-", "chosen", "chosen", "-"]
    assert shown.loc[("always", WEIGHT(50)), "test top-1 %"].startswith("71.00")
    assert shown.loc[("always", WEIGHT(5)), "val top-1 %"].startswith("70.00")
    assert table.values is not None
    assert table.values["test_mean"].tolist() == pytest.approx([0.91, 0.71, 0.82, 0.99])
    page = report_markdown(content)
    assert "take no part in the choice" in page
    (warnings,) = (b for s in content.sections for b in s.blocks if isinstance(b, Warnings))
    text = " ".join(warnings.items)
    assert f"at always: {WEIGHT(50)} of 2, at adaptive: {WEIGHT(5)} of 2" in text
    assert "1 of 10 cells" in text
    (unfinished,) = tables(content, "unfinished")
    assert unfinished.frame["cell"].tolist() == [f"digits-t-s-at-adaptive-{WEIGHT(50)}-s1"]


def test_a_report_without_a_sweep_says_nothing_of_it(results: pd.DataFrame) -> None:
    content = report(results, pd.DataFrame(columns=["cell", "epoch"]))
    assert not tables(content, "sweep")
    assert "chosen on val (" not in report_markdown(content)
