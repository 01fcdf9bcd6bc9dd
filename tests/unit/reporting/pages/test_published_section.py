"""The section of the report on published accuracies."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from sakd.foundation.errors import UserError
from sakd.reporting import report, report_html, report_markdown
from sakd.reporting.pages.origin import Origin
from sakd.reporting.pages.sections import Tabular
from sakd.reporting.published.protocol import KD_WEIGHT, PROTOCOLS
from sakd.reporting.published.rows import Fit

TITLE = "Against the published"


def nested(flat):
    settings = {}
    for name, value in flat.items():
        *path, last = name.split(".")
        place = settings
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return settings


@pytest.fixture
def page(cell, history):
    def make(**changes):
        pair = {"dataset": "cifar100", "teacher": "vgg13", "student": "vgg8"}
        results = pd.DataFrame(
            cell("at", policy, seed, 0.72, **pair, teacher_test_top1=0.75)
            for policy in ("always", "adaptive")
            for seed in range(3)
        )
        name = "sakd-cifar100"
        settings = PROTOCOLS[name] | {KD_WEIGHT: 1, "report.published": name} | changes
        return report(results, history(results), origin=Origin(nested(settings)))

    return make


def text(content):
    (section,) = (section for section in content.sections if section.title == TITLE)
    shown = report_markdown(replace(content, sections=(section,)))
    return " ".join(shown.split())


def test_ours_stands_next_to_the_published(page):
    content = page()
    shown = text(content)
    assert (
        "| at + kd | SAKD | best | 73.56 | 74.00 ± 0.00 (n=3) | +0.44 | ± 0.5 | inside |" in shown
    )
    assert "| crd | RepDistiller | last | 73.94 | - | - | ± 0.4 | not run |" in shown
    assert "No reproduction" not in shown
    assert "+0.31 [+0.25, +0.38]" in shown
    assert TITLE in report_html(content)


def test_a_study_of_other_settings_says_so_and_is_not_judged(page):
    shown = text(page(**{"student.epochs": 5, "data.train_size": 5000}))
    assert "student.epochs is 5 (published: 240)" in shown
    assert "data.train_size is 5000 (published: not set)" in shown
    assert "inside" not in shown
    assert "ours (other protocol)" in shown


def test_a_row_that_is_misprinted_is_not_held_against_ours(cell, history):
    pair = {"dataset": "cifar100", "teacher": "vgg13", "student": "MobileNetV2"}
    methods = [(name, policy) for name in ("vid", "at") for policy in ("always", "adaptive")]
    lines = [cell(*method, seed, 0.7, **pair) for method in methods for seed in range(3)]
    results = pd.DataFrame(lines)
    settings = PROTOCOLS["sakd-cifar100"] | {KD_WEIGHT: 1, "report.published": "sakd-cifar100"}
    content = report(results, history(results), origin=Origin(nested(settings)))
    (table,) = (
        block
        for section in content.sections
        for block in section.blocks
        if isinstance(block, Tabular) and block.name.startswith("published_sakd")
    )
    readings = table.frame.set_index("method")["reading"]
    assert readings[["vid + kd", "at + kd"]].tolist() == [Fit.SLIP, "-"]


def test_a_study_that_names_nothing_published_has_no_such_section(results, history):
    content = report(results, history(results), origin=Origin({"report": {"published": None}}))
    assert TITLE not in [section.title for section in content.sections]


def test_an_unknown_name_is_refused(page):
    with pytest.raises(UserError, match=r"'sakd-mnist'.*sakd-cifar100"):
        page(**{"report.published": "sakd-mnist"})


def test_one_seed_has_a_gain_without_an_interval(cell, history):
    pair = {"dataset": "cifar100", "teacher": "vgg13", "student": "vgg8"}
    lines = [cell("at", policy, 0, 0.72, **pair) for policy in ("always", "adaptive")]
    results = pd.DataFrame(lines)
    settings = {"report.published": "sakd-cifar100", "student.epochs": 1}
    shown = text(report(results, history(results), origin=Origin(nested(settings))))
    assert "+0.00 (1 pair, 1 seed); published for the same methods: +0.08" in shown
    assert "student.epochs is 1 (published: 240)" in shown
    assert "| kd | RepDistiller | last | 72.98 | - | - | ± 0.4 | not run |" in shown
