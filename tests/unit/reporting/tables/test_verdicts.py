from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sakd.evidence import Estimate
from sakd.reporting.pages.headline import highlights
from sakd.reporting.tables.contrasts import Contrast, Difference
from sakd.reporting.tables.outcomes import Outcomes
from sakd.reporting.tables.routers import Router, Tally
from sakd.reporting.tables.verdicts import answer, contrasts, main_contrasts, verdicts
from sakd.routing import POLICIES as ROUTING

COLLAPSED = Router("always", 2)
RULES = [name for name, kind in ROUTING.items() if not kind.trained and not kind.settled]


def found(mean, error, *, seeds=5, images=359, pairs=1, needed=None):
    estimate = Estimate(*(np.asarray(value) for value in (mean, error, 1e6)))
    return Difference(estimate, seeds, images, pairs, sd=0.0, needed=needed)


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (found(0.027, 0.004), "it helps by +2.70 [+1.92, +3.48]"),
        (found(-0.027, 0.004), "it hurts by -2.70 [-3.48, -1.92]"),
        (
            found(0.002, 0.0005),
            "it helps by +0.20 [+0.10, +0.30], which is below the margin of 0.5",
        ),
        (found(0.001, 0.0017), "it: no difference larger than 0.4 points"),
        (found(0.01, 0.01, needed=40), "[-0.96, +2.96]; about 40 seeds would settle it"),
        (found(0.01, 0.01, pairs=3, needed=40), "about 40 pairs would settle it"),
        (found(0.01, 0.01), "these 359 test images cannot settle it"),
        (found(0.01, 0.01, images=0), "without results per image"),
        (found(0.01, np.nan, images=0), "cannot be told, +1.00; the seeds agree"),
        (found(0.03, 0.001, seeds=2), "cannot be told from 2 seeds, +3.00 [+2.80, +3.20]"),
        (found(0.03, 0.001, seeds=3), "it helps by +3.00 [+2.80, +3.20]"),
        (found(0.03, 0.001, seeds=2, pairs=3), "it helps by +3.00 [+2.80, +3.20]"),
        (found(0.03, np.nan, seeds=1), "cannot be told from 1 seed, +3.00; it takes 3"),
        (found(np.nan, np.nan, seeds=0), "it: cannot be told, as no seed finished both"),
    ],
)
def test_a_difference_in_words(difference, words):
    assert words in answer("it", difference, margin=0.005)


def test_a_difference_is_below_a_margin_that_its_bound_reaches():
    good = found(0.002, 0.0005)
    bound = float(good.estimate.bound)
    assert "below the margin" not in answer("it", good, margin=np.nextafter(bound, 0))
    assert "below the margin" in answer("it", good, margin=bound)


def test_the_bound_is_rounded_up():
    for bound, words in ((0.0039, "0.4"), (0.0041, "0.5")):
        said = answer("it", found(0.0, bound / 1.644854), margin=0.005)
        assert f"larger than {words} points" in said


POLICIES = ["always", "adaptive", "random_matched", "anti", "random"]


def test_a_study_is_asked_what_its_cells_can_answer(cell):
    lines = [cell("kd", policy, seed, 0.5) for policy in POLICIES for seed in range(3)]
    lines += [cell("none", "none", seed, 0.4) for seed in range(3)]
    outcomes = Outcomes.of(pd.DataFrame(lines))
    judged = verdicts(outcomes)
    assert [verdict.contrast for verdict in judged] == [
        ("always", "none"),
        ("adaptive", "always"),
        ("adaptive", "random_matched"),
        ("adaptive", "anti"),
        ("random", "always"),
        ("random_matched", "always"),
        ("anti", "always"),
    ]
    for verdict in judged:
        assert verdict.text == answer(verdict.subject, verdict.found, outcomes.margin)
        assert verdict.text.startswith(verdict.subject)
    to_always = [verdict.contrast for verdict in judged if verdict.contrast.second == "always"]
    others = [("adaptive", "random_matched"), ("adaptive", "anti")]
    assert contrasts(outcomes.cells) == to_always + others
    alone = Outcomes.of(pd.DataFrame(lines[:3]))
    assert verdicts(alone) == []


def test_teachers_of_one_network_are_judged_one_by_one(cell):
    gains = {"t": 0.1, "t@brief": 0.2}
    lines = [
        cell("kd", policy, seed, 0.5 + gain * (policy == "adaptive"), teacher=teacher)
        for teacher, gain in gains.items()
        for policy in POLICIES[:2]
        for seed in range(3)
    ]
    for line in lines:
        line["cell"] += str(line["teacher"])
    outcomes = Outcomes.of(pd.DataFrame(lines))
    judged = verdicts(outcomes)
    assert [verdict.subject for verdict in judged] == [
        "adaptivity under t",
        "adaptivity under t@brief",
    ]
    assert [float(verdict.found.estimate.mean) for verdict in judged] == pytest.approx([0.1, 0.2])
    turned = verdicts(Outcomes.of(pd.DataFrame(lines[::-1])))
    assert [verdict.under for verdict in turned] == [" under t@brief", " under t"]
    labels = [item.label for item in highlights(outcomes, judged).items][:2]
    assert labels == [f"adaptive - always under {name}, points (pooled)" for name in gains]
    other = [{**line, "teacher": f"u{line['teacher'][1:]}"} for line in lines]
    for line in other:
        line["cell"] += "u"
    judged = verdicts(Outcomes.of(pd.DataFrame([*lines, *other])))
    assert [verdict.subject for verdict in judged] == [
        "adaptivity under t, u",
        "adaptivity under t@brief, u@brief",
    ]
    one = verdicts(Outcomes.of(pd.DataFrame(lines[6:])))
    assert [verdict.subject for verdict in one] == ["adaptivity"]


def test_the_main_comparisons_are_those_of_the_questions_or_all(cell):
    def asked(*policies):
        cells = [cell("kd", policy, seed, 0.5) for policy in policies for seed in range(3)]
        return main_contrasts(Outcomes.of(pd.DataFrame(cells)).cells)

    assert asked(*POLICIES) == [
        ("adaptive", "always"),
        ("adaptive", "random_matched"),
        ("adaptive", "anti"),
    ]
    assert asked("always", "random") == [("random", "always")]


def test_collapsed_routers_are_counted_in_the_verdict(cell, history):
    frame = pd.DataFrame(
        [cell("kd", policy, seed, 0.5) for policy in POLICIES[:2] for seed in range(3)]
    )
    gates = {f"digits-t-s-kd-adaptive-s{seed}": (1.0, 1.0) for seed in range(2)}
    (one,) = verdicts(Outcomes.of(frame, history(frame, gates)))
    assert one.contrast == Contrast("adaptive", "always")
    assert one.text.endswith("; its routers collapsed in 2 of 3 cells")
    gates["digits-t-s-kd-adaptive-s2"] = (1.0, 1.0)
    (one,) = verdicts(Outcomes.of(frame, history(frame, gates)))
    assert one.text.endswith("collapsed in 3 of 3 cells (= always but for 1 epoch)")


@pytest.mark.parametrize("rule", RULES)
def test_a_policy_without_a_router_has_none_in_its_verdict(cell, rule):
    cells = [cell("kd", policy, seed, 0.5) for policy in ("always", rule) for seed in range(3)]
    frame = pd.DataFrame(cells)
    rates = frame.loc[frame["policy"] == rule, ["cell"]].assign(epoch=1)
    history = rates.assign(**{"gate_rate/logits": 1.0})
    (one,) = verdicts(Outcomes.of(frame, history))
    assert "; its rule stopped choosing in 3 of 3 cells" in one.text
    assert "router" not in one.text


@pytest.mark.parametrize(
    ("routers", "mark"),
    [
        ([COLLAPSED, COLLAPSED], "= always but for 2 epochs"),
        ([COLLAPSED, Router("always", 0)], "= always but for 0 to 2 epochs"),
        ([COLLAPSED, Router("never", 2)], "2 of 2 collapsed"),
        ([COLLAPSED, Router("", 0)], "1 of 2 collapsed"),
        ([Router("", 0)], ""),
        ([], ""),
    ],
)
def test_a_row_is_marked_by_what_became_of_its_routers(routers, mark):
    named = {str(number): router for number, router in enumerate(routers)}
    assert Tally.of(named, [*named, "a cell without a router"]).mark == mark


def test_epochs_in_which_a_router_chose_are_counted(cell):
    line = cell("kd", "adaptive", 0, 0.5)
    rates = [0.5, 1.0, 0.5, 1.0, 1.0, np.nan]
    epochs = {"epoch": range(1, 7), "gate_rate/logits": rates}
    history = pd.DataFrame({"cell": line["cell"], **epochs}).sample(frac=1, random_state=0)
    outcomes = Outcomes.of(pd.DataFrame([line]), history)
    assert outcomes.routers == {line["cell"]: Router("always", 2)}
