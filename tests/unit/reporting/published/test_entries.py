"""The published rows: all of them, once each, with their slips and bands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sakd.networks import check_network
from sakd.reporting.pages.published import PUBLISHED_INTERVAL
from sakd.reporting.published.entries import REPDISTILLER, SAKD, Entry, entries, published_gains

PROTOCOL = Path(__file__).parents[4] / "docs" / "protocol.md"


def find(student: str, method: str, source: str = SAKD, **others: object) -> Entry:
    wanted = {"student": student, "method": method, "source": source, **others}
    (found,) = (e for e in entries() if wanted.items() <= e._asdict().items())
    return found


def test_the_gains_are_those_that_the_documents_speak_of():
    gains = published_gains()["gain"].round(6)
    assert (gains > 0).sum() == 138
    assert (gains == 0).sum() == 1
    assert (gains < 0).sum() == 10
    mean = f"{100 * gains.mean():.2f}"
    text = " ".join(PROTOCOL.read_text().split())
    assert f"over the {len(gains)} pairs" in text
    assert f"mean gain is {mean} points, with 138 up, 1 equal and 10 down" in text


def test_the_interval_of_the_mean_gain_is_that_of_a_bootstrap_over_pairs():
    gains = [
        group["gain"] for _, group in published_gains().groupby(["dataset", "teacher", "student"])
    ]
    draws = np.random.default_rng(0).integers(len(gains), size=(4000, len(gains)))
    sums, sizes = (np.array(each) for each in zip(*((g.sum(), g.size) for g in gains), strict=True))
    means = sums[draws].sum(1) / sizes[draws].sum(1)
    assert np.percentile(means, [2.5, 97.5]) == pytest.approx(PUBLISHED_INTERVAL, abs=2e-4)


def test_what_one_source_quotes_from_the_other_is_there_once():
    keys = [(*e.pair, e.method, e.kd_weight, e.epoch) for e in entries()]
    assert len(set(map(str, keys))) == len(keys)
    assert find("resnet20", "kd", REPDISTILLER).plain == pytest.approx(0.7066)
    assert not [
        e for e in entries() if e.pair[2] == "wrn_16_2" and e[0] == SAKD and e.epoch == "last"
    ]


def test_every_row_names_networks_of_ours():
    for name in {name for e in entries() for name in e.pair[1:]}:
        check_network(name)


def test_a_number_that_was_not_published_is_no_row():
    assert [e for e in entries() if e.pair[1:] == ("ResNet50", "vgg8") and e.method == "nst"] == []


@pytest.mark.parametrize(
    ("student", "method", "said"),
    [
        ("MobileNetV2", "vid", "+0.76"),
        ("resnet32", "teacher", "79.42"),
        ("MobileNetV2", "kd", "0.5"),
    ],
)
def test_slips_are_marked_row_by_row(student, method, said):
    marked = [e for e in entries() if (e.student, e.method) == (student, method) and e.slip]
    assert marked
    assert all(said in e.slip for e in marked)
    assert sum(bool(e.slip) for e in entries()) == 6


@pytest.mark.parametrize(
    ("entry", "title", "band"),
    [
        (find("vgg8", "teacher", REPDISTILLER), "teacher", 0.004),
        (find("vgg8", "student", REPDISTILLER), "student", None),
        (find("vgg8", "kd", REPDISTILLER), "kd", 0.004),
        (find("vgg8", "crd", REPDISTILLER, kd_weight=0.0), "crd", 0.004),
        (find("vgg8", "crd", REPDISTILLER, kd_weight=1.0), "crd + kd", 0.004),
        (find("ShuffleNetV1", "at"), "at + kd", 0.005),
        (find("vgg8", "kd", dataset="tiny_imagenet"), "kd", None),
    ],
)
def test_bands_hold_for_what_they_were_made_for(entry, title, band):
    assert entry.title == title
    assert entry.band == pytest.approx(band or np.nan, nan_ok=True)
