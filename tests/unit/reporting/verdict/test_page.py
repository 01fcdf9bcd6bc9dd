from __future__ import annotations

import pytest

from sakd.foundation.errors import UserError
from sakd.reporting.verdict.page import block_names, blocks, filled, fresh
from sakd.reporting.verdict.part import Part
from sakd.reporting.verdict.pictures import differences_picture

PAGE = """# Mine

<!-- one -->
old
<!-- end -->

Prose <!-- a comment --> of mine.

<!-- unknown -->
stays
<!-- end -->
"""


def test_blocks_are_replaced_and_prose_is_kept():
    found = filled(PAGE, {"one": "new \\1", "two": "not asked for"})
    assert "<!-- one -->\n\nnew \\1\n\n<!-- end -->\n\nProse <!-- a comment --> of mine." in found
    assert "stays" in found
    assert "old" not in found
    assert "not asked for" not in found
    assert filled(found, {"one": "new \\1"}) == found


def test_a_page_without_a_place_is_refused():
    with pytest.raises(UserError, match=r"no place .*<!-- end -->.*three"):
        filled(PAGE, {"three": ""})


def test_a_fresh_page_has_every_block(part):
    made = blocks(part, {"a.svg": "A picture"})
    page = filled(fresh(made), made)
    assert all(text in page for text in made.values())
    assert "![A picture](a.svg)" in page
    assert [*made] == block_names(["digits"])


def test_one_seed_without_records_of_rates_is_shown_without_intervals(study):
    results, epochs, answers = study
    few = results[(results["seed"] == 0) & results["distiller"].isin(["none", "kd"])]
    few = few[few["policy"].isin(["none", "always", "adaptive"])]
    own = [frame[frame["cell"].isin(few["cell"])] for frame in (epochs, answers)]
    part = Part.of(few, own[0][["cell", "epoch", "val_top1"]], own[1])
    found = blocks(part, {})
    assert found["digits-routers"] == found["digits-spots"] == "Nothing of it was run."
    assert "cannot be told from 1 seed" in found["digits-sentences"]
    assert "random" not in found["digits-questions"]
    drawn = differences_picture(part)
    assert drawn.count(">good, kd<") == 1  # of one distiller there is no mean over distillers
    assert "<circle" not in drawn
