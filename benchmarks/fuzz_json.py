"""Changes to values: of JSON, of words of a command, of the cells of a table as text."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from fuzz_changes import Draw, damage, often, one_of, times

from sakd.foundation.sealing import CHECKSUM

TRAP = "sprung_by_fuzzing"
"""A module that nothing may import because a file names it."""

DEEP, TWICE = "nested here", "twice "
"""Stand in JSON for nesting, and before a name for a second entry of that name."""

DEPTHS = (20, 900, 50_000)

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 2**31, -(2**31), 2**63, -(2**64), 10**40, 0.5, -0.0),
    *(1e-320, 1e38, 1e308, float("nan"), float("inf"), -float("inf")),
    *("", " ", "0", "done", "resnet8", "nan", "1e5", "x" * 10_000, "\0", "\n", "a\nb", "\u2028"),
    *("\x1b[31mred", "\ud800", "cafe\u0301", "../../x", "/nowhere/x", "C:\\x", "%s{}${x}"),
    *("<script>alert(1)</script>", "=1+1", "|`*_", "2020-01-01", f"{TRAP}:trap", f"{TRAP}.trap"),
    *([], {}, [[]], [None], [0] * 1000, {"": ""}, {"x": {"y": [{}]}}, DEEP),
)
"""Values of all types of JSON, also those that JSON does not have."""

WORDS = tuple(str(one) for one in ODD)


def other_json(content: bytes, draw: Draw) -> bytes:
    """Change values of a JSON text, or its entries."""
    value = json.loads(content)
    for _ in range(times(draw)):
        value = other_value(value, draw)
    return _text(value, draw)


def other_sealed(content: bytes, draw: Draw) -> bytes:
    """Change entries of a JSON object, and give it the checksum of what it now is, or none."""
    value = {name: each for name, each in json.loads(content).items() if name != CHECKSUM}
    for _ in range(times(draw)):
        value = other_value(value, draw)
    said = json.dumps(value)
    if isinstance(value, dict) and often(draw, 0.7) and DEEP not in said and TWICE not in said:
        plain = json.loads(said)
        value = {**plain, CHECKSUM: sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()}
    return _text(value, draw)


def _text(value: object, draw: Draw) -> bytes:
    """Write JSON, also what JSON does not have: two entries of a name, endless nesting."""
    depth, plain = one_of(draw, DEPTHS), one_of(draw, (True, False))
    text = json.dumps(value, ensure_ascii=plain)
    text = text.replace(f'"{DEEP}"', "[" * depth + "]" * depth).replace(f'"{TWICE}', '"')
    return text.encode("utf-8", "surrogatepass")


def other_value(value: Any, draw: Draw) -> Any:  # noqa: ANN401 - JSON
    """Change ``value`` itself, or a part of it at any depth."""
    if isinstance(value, dict) and value and often(draw, 0.85):
        return one_of(draw, ENTRIES)(value, one_of(draw, list(value)), draw)
    if isinstance(value, list) and value and often(draw, 0.7):
        at = int(draw.integers(len(value)))
        return [*value[:at], other_value(value[at], draw), *value[at + 1 :]]
    return one_of(draw, (_near, _alike, _odd))(value, draw)


Entries = dict[Any, Any]


def _changed(value: Entries, name: Any, draw: Draw) -> Entries:  # noqa: ANN401
    return {**value, name: other_value(value[name], draw)}


def _dropped(value: Entries, name: Any, _draw: Draw) -> Entries:  # noqa: ANN401
    return {key: each for key, each in value.items() if key != name}


def _renamed(value: Entries, name: Any, draw: Draw) -> Entries:  # noqa: ANN401
    return {**_dropped(value, name, draw), one_of(draw, WORDS): value[name]}


def _doubled(value: Entries, name: Any, draw: Draw) -> Entries:  # noqa: ANN401
    return {**value, f"{TWICE}{name}": one_of(draw, ODD)}


def _exchanged(value: Entries, name: Any, draw: Draw) -> Entries:  # noqa: ANN401
    return {**value, name: value[one_of(draw, list(value))]}


ENTRIES = (*[_changed] * 8, _dropped, _renamed, _doubled, _exchanged)


def _near(value: Any, draw: Draw) -> Any:  # noqa: ANN401
    """Give the value in another type, doubled, wrapped, or a little beside itself."""
    near: list[Any] = [str(value), [value], {"x": value}]
    if isinstance(value, list):
        near += [value * 2, value[:-1], value[::-1], [*value, one_of(draw, ODD)]]
    if isinstance(value, int | float):
        near += [-value, value + 1, value * 1000, float(value)]
    if isinstance(value, str):
        near += [value + value, value[:-1], value.upper(), f"{value}\n", [*value]]
    return one_of(draw, near)


def _alike(value: object, draw: Draw) -> Any:  # noqa: ANN401
    """Give something odd of the same type."""
    return one_of(draw, [one for one in ODD if type(one) is type(value)] or ODD)


def _odd(_value: object, draw: Draw) -> Any:  # noqa: ANN401
    return one_of(draw, ODD)


def other_words(content: bytes, draw: Draw) -> bytes:
    """Change, drop or add words of a JSON list of words."""
    words: list[str] = json.loads(content)
    for _ in range(times(draw)):
        at = int(draw.integers(len(words) + 1))
        spoilt = [damage(word.encode(), draw).decode("utf-8", "replace") for word in words[at:][:1]]
        new = one_of(draw, ([one_of(draw, WORDS)], spoilt, []))
        words[at : at + one_of(draw, (0, 1, 1))] = [word.replace("\0", "") for word in new]
    return json.dumps(words).encode()


def other_cells(content: bytes, draw: Draw) -> bytes:
    """Change cells of a CSV text, or its lines, names and separators."""
    lines = [line.split(",") for line in content.decode().splitlines()]
    for _ in range(times(draw)):
        row = int(draw.integers(len(lines)))
        at = int(draw.integers(len(lines[row]) + 1))
        cell = one_of(draw, WORDS).replace("\0", "\x01")
        lines[row][at : at + one_of(draw, (0, 1, 1, 1, 1))] = one_of(draw, ([cell], [cell], []))
        lines[row : row + 1] = one_of(draw, ([lines[row]], [lines[row]], [lines[row]] * 2))
    text = one_of(draw, ("\n", "\n", "\r\n", "\n\n", "\r")).join(map(",".join, lines))
    return text.encode("utf-8", "surrogatepass")
