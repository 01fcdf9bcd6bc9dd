"""Paths: who is taught by whom, from names alone."""

from __future__ import annotations

import pytest

from sakd.foundation.errors import UserError
from sakd.networks.paths import in_order, members, needed, snapshot_of, split_pair, taught_by

OUTSIDE = "pkg.nets:small(x='a&b/c'; y=[1; 2])@brief"

MEMBERS = {
    "t": ["t"],
    OUTSIDE: [OUTSIDE],
    "t/a": ["t/a"],
    f"{OUTSIDE}/a": [f"{OUTSIDE}/a"],
    "t&u": ["t", "u"],
    "t//a": ["t", "t/a"],
    "t//a//b": ["t", "t/a", "t//a/b"],
    "t//a/b": ["t//a/b"],
    "t&u/a": ["t&u/a"],
    "t&u//a": ["t", "u", "t&u/a"],
    "t/a&b": ["t/a", "t/b"],
    "s/t//a&b": ["s/t", "s/t/a", "s/t/b"],
}


@pytest.mark.parametrize("teacher", MEMBERS)
def test_those_who_teach_together_are_the_names_after_the_last_slash(teacher: str) -> None:
    assert list(members(teacher)) == MEMBERS[teacher]
    assert split_pair(f" {teacher} / {OUTSIDE}") == (teacher, OUTSIDE)


@pytest.mark.parametrize("teacher", MEMBERS)
def test_all_that_a_teacher_needs_stands_before_it(teacher: str) -> None:
    order = in_order(teacher)
    assert order[-1] == teacher
    assert len(set(order)) == len(order)
    for place, name in enumerate(order):
        assert set(needed(name)) <= set(order[:place])
        if len(members(name)) == 1:
            assert needed(name) == tuple(filter(None, [taught_by(name)]))
        else:
            assert needed(name) == members(name)


def test_a_dense_path_by_hand() -> None:
    assert in_order("t//a//b") == ("t", "t/a", "t//a", "t//a/b", "t//a//b")
    assert needed("t//a/b") == ("t//a",)
    assert needed("t//a") == ("t", "t/a")


def test_a_state_needs_the_teacher_whose_training_it_is_of() -> None:
    assert in_order("t@5&s/t@x@40") == ("t", "t@5", "s", "t@5&s", "t@5&s/t@x", "t@5&s/t@x@40")
    assert snapshot_of(f"{OUTSIDE}@3") == (OUTSIDE, 3)
    assert snapshot_of("pkg.nets:small(x='a@3')") is None


@pytest.mark.parametrize("pair", ["t", "t/", "/s", "t&/s", "t&s", "t//s", "t///s", "t//a", "t(/s"])
def test_what_is_no_pair_is_refused(pair: str) -> None:
    with pytest.raises(UserError) as caught:
        split_pair(pair)
    assert str(caught.value) == f"grid.pairs: {pair!r} is not a pair; write teacher/student"
