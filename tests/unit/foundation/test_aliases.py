"""YAML whose aliases stand for a multitude of values is refused before it is read."""

from __future__ import annotations

import pytest
import yaml

from sakd.foundation.aliases import MOST, check_aliases
from sakd.foundation.errors import UserError


def nested(levels: int, many: int = 10) -> str:
    """A list in which every level has the one before many times."""
    lines = [f"- &a0 [{', '.join('x' * many)}]"]
    lines += [f"- &a{k} [{', '.join([f'*a{k - 1}'] * many)}]" for k in range(1, levels)]
    return "\n".join(lines)


TOO_MANY = {
    "lists": nested(9),
    "many levels": nested(400),
    "mappings": "a: &a {x: 1, y: 2}\n"
    + "".join(
        f"{k}: &{k} {{x: *{p}, y: *{p}}}\n"
        for p, k in zip("abcdefghijklmn", "bcdefghijklmno", strict=True)
    ),
    "merged": "a: &a {x: 1}\n"
    + "".join(
        f"{k}: &{k}\n  <<: [{', '.join([f'*{p}'] * 20)}]\n"
        for p, k in zip("abcd", "bcde", strict=True)
    ),
    "itself": "a: &a [1, *a]",
}


@pytest.mark.parametrize("text", TOO_MANY.values(), ids=TOO_MANY)
def test_many_values_are_refused(text: str) -> None:
    with pytest.raises(UserError, match=f"more than {MOST:,} values: write these out"):
        check_aliases(text)


@pytest.mark.parametrize(
    "text",
    [
        nested(3),
        "base: &base {lr: 0.1}\nother: {<<: *base, epochs: 3}",
        "lessons: 3 & 4 * 5",
        "[" + "1, " * 2 * MOST + "1]",  # without aliases a text is as long as its values are many
        "",
    ],
    ids=["few", "merged", "no alias", "long", "empty"],
)
def test_others_pass(text: str) -> None:
    check_aliases(text)


def test_what_is_no_yaml_is_left_to_who_reads_it() -> None:
    with pytest.raises(yaml.YAMLError, match="undefined alias 'b'"):
        check_aliases("a: &a 1\nb: *b")
