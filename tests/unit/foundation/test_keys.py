"""Content keys outlast new fields, and see every other change."""

from __future__ import annotations

from dataclasses import dataclass, field, make_dataclass
from hashlib import sha256
from typing import Any

from sakd.foundation.keys import NEUTRAL, added, aside, content_key, facts_of


@dataclass(frozen=True)
class Inner:
    sizes: tuple[int, ...] = (1, 2)


@dataclass(frozen=True)
class Outer:
    lr: float = 0.1
    inner: Inner = field(default_factory=Inner)
    patience: int = aside(3)
    nesterov: bool = added(False)


def key(item: Any) -> str:
    return content_key(facts_of(item))


def test_facts_are_plain_json_of_the_fields_that_count() -> None:
    assert facts_of(Outer()) == {"lr": 0.1, "inner": {"sizes": [1, 2]}}
    assert facts_of({"a": (1, None)}) == {"a": [1, None]}


def test_a_field_that_was_added_counts_only_where_it_changes_something() -> None:
    before = make_dataclass("Outer", [("lr", float, 0.1), ("inner", Inner, Inner())], frozen=True)
    assert key(Outer()) == key(before())
    assert key(Outer(nesterov=True)) != key(Outer())


def test_a_field_aside_never_counts() -> None:
    assert key(Outer(patience=9)) == key(Outer())
    fields = [("patience", int, aside(3)), ("depth", int, added(2)), ("lr", float, 0.1)]
    kind = make_dataclass("Kept", fields)
    assert (kind().patience, kind().depth) == (3, 2)
    assert facts_of(kind(9)) == {"lr": 0.1}
    assert facts_of(kind(depth=5)) == {"depth": 5, "lr": 0.1}


def test_every_other_value_counts() -> None:
    assert len({key(Outer()), key(Outer(lr=0.2)), key(Outer(inner=Inner((1,))))}) == 3


def test_a_default_that_changes_later_changes_the_key() -> None:
    later = make_dataclass(
        "Outer",
        [
            ("lr", float, 0.1),
            ("inner", Inner, Inner()),
            ("nesterov", bool, field(default=True, metadata={NEUTRAL: False})),
        ],
    )
    assert key(later()) == key(Outer(nesterov=True))
    assert key(later(nesterov=False)) == key(Outer())


def test_a_key_is_the_hash_of_sorted_json() -> None:
    expected = sha256(b'{"a": [1, 2.5, null], "b": "x"}').hexdigest()
    assert content_key({"b": "x", "a": [1, 2.5, None]}) == expected


def test_the_order_of_facts_does_not_matter() -> None:
    assert content_key({"a": 1, "b": 2}) == content_key({"b": 2, "a": 1})
