from __future__ import annotations

import pandas as pd
import pytest

from sakd.reporting import caveats, collapsed_policies
from sakd.reporting.tables.caveats import collapsed_transfers

CELL = "digits-t-s-kd-adaptive-s0"


@pytest.mark.parametrize(
    ("gates", "kind"),
    [
        ((1.0, 0.995), "always"),
        ((0.0, 0.005), "never"),
        ((1.0, 0.0), "one fixed route"),
    ],
)
def test_a_router_that_stopped_choosing_is_named(results, history, gates, kind):
    (found,) = collapsed_policies(results, history(results, {CELL: gates}))
    assert found == f"Policy collapsed to {kind} in 1 cell: {CELL}."


@pytest.mark.parametrize("gates", [(0.99, 0.01), (1.0, 0.5), (0.0, 0.02)])
def test_a_router_that_chooses_somewhere_is_not_named(results, history, gates):
    assert collapsed_policies(results, history(results, {CELL: gates})) == []


@pytest.mark.parametrize(
    ("policy", "named"), [("anti", True), ("random_matched", True), ("random", False)]
)
def test_a_router_is_named_under_every_policy_that_has_one(cell, policy, named):
    line = cell("kd", policy, 0, 0.5)
    history = pd.DataFrame([{"cell": line["cell"], "epoch": 1, "gate_rate/logits": 0.0}])
    assert bool(collapsed_policies(pd.DataFrame([line]), history)) is named


def test_only_the_last_epoch_of_cells_with_a_router_counts(results):
    history = pd.DataFrame(
        [
            {"cell": CELL, "epoch": 2, "gate_rate/logits": 0.5},
            {"cell": CELL, "epoch": 1, "gate_rate/logits": 1.0},
            {"cell": "digits-t-s-kd-always-s0", "epoch": 1, "gate_rate/logits": 1.0},
        ]
    )
    assert collapsed_policies(results, history) == []


def test_a_last_phase_without_rates_does_not_hide_a_collapse_before_it(results):
    epochs = [(1, 0.5, None), (2, 1.0, None), (3, None, 1.5)]
    names = ["epoch", "gate_rate/logits", "cross_entropy"]
    history = pd.DataFrame(epochs, columns=names).assign(cell=CELL)
    assert len(collapsed_policies(results, history)) == 1
    assert collapsed_policies(results, history[history["epoch"] != 2]) == []


def test_a_spot_that_a_cell_does_not_have_does_not_hide_its_collapse(results):
    history = pd.DataFrame(
        [
            {"cell": CELL, "epoch": 1, "gate_rate/logits": 1.0},
            {"cell": "digits-t-s-at-adaptive-s0", "epoch": 1, "gate_rate/stage1": 0.5},
        ]
    )
    (found,) = collapsed_policies(results, history)
    assert CELL in found


@pytest.mark.parametrize(
    ("rate", "share", "kind"),
    [(0.009, 0.5, "never"), (0.011, 0.5, None), (0.5, 0.991, "equal weights"), (0.5, 0.98, None)],
)
def test_a_transfer_that_chooses_nothing_is_named_under_every_policy(cell, rate, share, kind):
    line = cell("l2tww", "always", 0, 0.5)
    rates = {"transfer_rate/stage1-stage1": 0.001, "transfer_rate/stage2-stage1": rate}
    record = {"cell": line["cell"], "epoch": 1, **rates, "transfer_share": share}
    found = collapsed_transfers(pd.DataFrame([line]), pd.DataFrame([record]))
    expected = f"Transfer collapsed to {kind} in 1 cell: {line['cell']}."
    assert found == ([] if kind is None else [expected])


def test_enough_seeds_and_no_failure_need_no_caveat(results, history):
    kept = results[results["distiller"] != "at"]
    assert caveats(kept, history(kept)) == []


def test_too_few_seeds_name_the_distiller_and_its_n(results, history):
    found = "\n".join(caveats(results, history(results)))
    assert "in 1 of 2 differences (at adaptive: n=1)" in found


def test_no_history_means_no_router_caveat(results):
    assert collapsed_policies(results, pd.DataFrame()) == []
