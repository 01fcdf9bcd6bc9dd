"""Methods are described in the words of their classes: nothing in the report knows a name."""

from __future__ import annotations

import pandas as pd

from sakd.distillers import DISTILLERS, Distiller
from sakd.foundation.docstrings import first_sentence
from sakd.reporting import report, report_markdown
from sakd.reporting.pages.definitions import definitions
from sakd.reporting.pages.methods import methods_section
from sakd.reporting.tables.frames import prepared
from sakd.routing import POLICIES


def facts(*lines):
    (section,) = methods_section(prepared(pd.DataFrame(lines)))
    return dict(section.blocks[0].items)


def test_what_the_results_hold_is_described_once_and_nothing_else(cell):
    lines = (
        cell("none", "none", 0, 0.5),
        cell("at-sp", "anti", 0, 0.5),
        cell("sp", "always", 0, 0.5),
    )
    assert list(facts(*lines)) == ["at", "sp", "always", "anti"]


def test_policies_are_described_by_the_first_sentence_of_their_classes(cell):
    found = facts(*(cell("kd", policy, 0, 0.5) for policy in POLICIES))
    for policy, kind in POLICIES.items():
        assert found[policy] == first_sentence(kind).replace("`Adaptive`", "adaptive")
    assert "`" not in "".join(found.values())


def test_distillers_say_what_they_compare_and_whether_they_stand_alone(cell):
    found = facts(*(cell(name, "always", 0, 0.5) for name in DISTILLERS))
    for name, kind in DISTILLERS.items():
        assert len(found[name]) > len(name)
        divided = kind.phases is not Distiller.phases
        assert ("loss alone" in found[name]) is (kind.stands_alone and not divided)
        assert ("in phases" in found[name]) is divided
        assert ("rebuilt" in found[name]) is (kind.rebuilding is not None)
    assert "`" not in "".join(found.values())


def test_methods_that_are_unknown_here_have_no_words(cell):
    lines = [cell("elsewhere:Mine", "elsewhere:Own", 0, 0.5)]
    assert methods_section(prepared(pd.DataFrame(lines))) == []
    assert "## Methods" not in report_markdown(report(pd.DataFrame(lines), pd.DataFrame()))


def test_terms_of_uneven_classes_are_explained_where_classes_are_uneven(data):
    uneven = data(counts={"train": (90, 10), "val": (9, 1), "test": (75, 25)})
    assert "balanced" in dict(definitions(uneven))
    assert dict(definitions(data())) == dict(definitions(None))
    assert "balanced" not in dict(definitions(None))
