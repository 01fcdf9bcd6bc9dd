"""A study next to the published rows: inside, outside, not run, slip, too few, another protocol."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sakd.reporting.published.entries import BEST, LAST, SAKD, Entry
from sakd.reporting.published.protocol import KD_WEIGHT, PROTOCOLS
from sakd.reporting.published.rows import Against, Fit, Row, fit
from sakd.reporting.tables.frames import prepared
from sakd.reporting.tables.spread import Spread

PUBLISHED = "sakd-cifar100"
SETTINGS = {**PROTOCOLS[PUBLISHED], KD_WEIGHT: 1}
PAIR = {"dataset": "cifar100", "teacher": "vgg13", "student": "MobileNetV2"}
AT = Entry(SAKD, *PAIR.values(), "at", 1.0, BEST, 0.7212, 0.7251, "")
KD = Entry(SAKD, *PAIR.values(), "kd", np.nan, LAST, 0.7, np.nan, "")
STUDENT = KD._replace(method="student")
SLIP = AT._replace(slip="misprinted")


@pytest.mark.parametrize(
    ("entry", "mean", "n", "departs", "expected"),
    [
        (AT, 0.7262, 3, False, Fit.INSIDE),
        (AT, 0.7162, 3, False, Fit.INSIDE),
        (AT, 0.7263, 3, False, Fit.OUTSIDE),
        (AT, 0.7161, 9, False, Fit.OUTSIDE),
        (KD, 0.7040, 3, False, Fit.INSIDE),
        (KD, 0.7041, 3, False, Fit.OUTSIDE),
        (AT, 0.7212, 2, False, Fit.TOO_FEW),
        (STUDENT, 0.7, 5, False, Fit.NO_BAND),
        (AT, 0.7212, 3, True, Fit.OTHER),
        (STUDENT, 0.7, 5, True, Fit.OTHER),
        (SLIP, 0.7212, 3, False, Fit.SLIP),
        (SLIP, np.nan, 0, False, Fit.NOT_RUN),
        (AT, np.nan, 0, True, Fit.NOT_RUN),
    ],
)
def test_a_mean_is_judged_only_where_it_can_be(entry, mean, n, departs, expected):
    assert fit(entry, Spread(mean, 0.001, n), departs=departs) is expected


@pytest.fixture
def study(cell):
    def make(settings=SETTINGS, **changes: object) -> Against:
        lines = [
            cell(distiller, policy, seed, top1 + seed / 1000, **PAIR | changes)
            | {"teacher_test_top1": 0.7464, "test_top1_best": top1 + 0.002 + gain}
            for distiller, policy, top1, gain in (
                ("none", "none", 0.646, 0),
                ("at", "always", 0.720, 0),
                ("at", "adaptive", 0.720, 0.001),
                ("vid", "always", 0.720, 0),
                ("vid", "adaptive", 0.720, 0.5),
                ("dkd", "always", 0.720, 0),
                ("dkd", "adaptive", 0.720, 0.5),
            )
            for seed in range(3)
        ]
        return Against(prepared(pd.DataFrame(lines)), settings, PUBLISHED)

    return make


def row(against: Against, method: str) -> Row:
    (found,) = (row for row in against.rows() if row.entry.method == method)
    return found


def test_each_accuracy_is_compared_at_the_same_epoch(study):
    against = study()
    assert row(against, "student").plain.mean == pytest.approx(0.647)  # the last
    assert row(against, "at").plain.mean == pytest.approx(0.722)  # the best
    assert row(against, "at").sakd.mean == pytest.approx(0.723)
    assert row(against, "at").gains == Spread(pytest.approx(0.001), pytest.approx(0), 3)
    assert row(against, "teacher").plain.n == 1


def test_every_published_row_of_the_pair_is_there_and_no_other(study):
    against = study()
    fits = {row.entry.method: row.fit for row in against.rows()}
    assert fits["at"] is Fit.INSIDE
    assert fits["vid"] is Fit.SLIP
    assert fits["teacher"] is Fit.TOO_FEW
    assert fits["kd"] is fits["crd"] is Fit.NOT_RUN
    assert "dkd" not in fits
    assert {entry.pair[1:] for entry in against.entries(run=False)} >= {("vgg13", "vgg8")}


def test_a_row_with_a_slip_is_in_no_pooled_gain(study):
    against = study()
    assert against.gain().estimate.mean == pytest.approx(0.001)
    assert against.published_gain() == pytest.approx(0.7251 - 0.7212)


@pytest.mark.parametrize("changes", [{"dataset": "cifar10"}, {"student": "resnet8"}])
def test_another_pair_or_dataset_has_no_published_row(study, changes):
    against = study(**changes)
    assert against.rows() == []
    assert against.departures() == []
    assert against.gain().seeds == 0
    assert np.isnan(against.published_gain())


def test_of_another_protocol_no_row_is_judged(study):
    against = study(settings={**SETTINGS, "student.epochs": 5})
    assert [str(each) for each in against.departures()] == ["student.epochs is 5 (published: 240)"]
    assert {row.fit for row in against.rows()} <= {
        Fit.OTHER, Fit.NOT_RUN, Fit.SLIP, Fit.TOO_FEW,
    }  # fmt: skip
    assert row(against, "teacher").fit is Fit.TOO_FEW  # whose training is as published
    assert row(against, "at").fit is Fit.OTHER
    assert not row(against, "at").same


SMALL = {"dataset": "cifar100", "teacher": "ResNet50", "student": "MobileNetV2"}


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("student.batch_size=32", []),
        ("", ["student.batch_size is 64 (published: 32)"]),
        (
            "student.batch_size=32, distillation.weights.nst=5",
            ["distillation.weights.nst is 5 (published: not set)"],
        ),
    ],
)
def test_settings_of_its_own_count_for_a_cell(cell, setting, said):
    lines = [cell("nst", "always", seed, 0.73, **SMALL, setting=setting) for seed in range(3)]
    lines += [cell("at", "always", seed, 0.73, **SMALL, setting="") for seed in range(3)]
    against = Against(prepared(pd.DataFrame(lines)), SETTINGS, PUBLISHED)
    assert [str(each) for each in against.departures()] == said
    assert (row(against, "nst").fit is Fit.OTHER) == bool(said)
    assert row(against, "at").fit is not Fit.OTHER


@pytest.mark.parametrize(("kd_weight", "alone", "joined"), [(1, 0, 3), (0, 3, 3)])
def test_an_anchor_without_kd_is_of_a_study_without_kd(cell, kd_weight, alone, joined):
    pair = {"dataset": "cifar100", "teacher": "vgg13", "student": "vgg8"}
    lines = [cell("crd", "always", seed, 0.74, **pair) for seed in range(3)]
    settings = {**SETTINGS, KD_WEIGHT: kd_weight}
    rows = Against(prepared(pd.DataFrame(lines)), settings, PUBLISHED).rows()
    found = {(r.entry.kd_weight, r.entry.epoch): r for r in rows if r.entry.method == "crd"}
    assert found[0, LAST].plain.n == alone
    assert found[1, LAST].plain.n == joined
    assert found[1, LAST].fit is (Fit.INSIDE if kd_weight else Fit.OTHER)
    assert found[0, LAST].fit is (Fit.NOT_RUN if kd_weight else Fit.INSIDE)
