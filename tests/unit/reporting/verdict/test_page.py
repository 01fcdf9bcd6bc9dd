from __future__ import annotations

import pytest

from sakd.foundation.errors import UserError
from sakd.reporting.verdict.page import blocks, filled, fresh

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
    assert all(name.startswith("digits-") for name in made)
