"""Settings by their dotted names, and how two sets of them differ."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Iterator, Mapping

import pandas as pd

from sakd.reporting.tables.formats import NOTHING


def named(settings: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Give the settings by their dotted names, such as ``student.optimisation.lr``.

    Lists become tuples; a mapping without entries has no line.
    """
    found: dict[str, object] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= named(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = tuple(value) if isinstance(value, list) else value
    return found


def read_settings(text: str) -> dict[str, object]:
    """Read the settings of a cell, as results have them.

    >>> read_settings("student.batch_size=32, student.precision=fast")
    {'student.batch_size': 32, 'student.precision': 'fast'}
    """
    pairs = (part.partition("=") for part in text.split(", ") if part)
    return {name: _value(value) for name, _, value in pairs}


def _value(text: str) -> object:
    if "+" in text:
        return tuple(map(_value, text.split("+")))
    if text.startswith("[") and text.endswith("]"):
        return (_value(text[1:-1]),) if text != "[]" else ()
    try:
        return literal_eval(text)
    except (SyntaxError, ValueError):
        return text


def flat(settings: Mapping[str, object]) -> dict[str, str]:
    """Give the settings as text by their dotted names; an unset one has no line."""
    return dict(_texts(settings))


def _texts(settings: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in named(settings).items():
        if isinstance(value, tuple):
            yield from [(name, ", ".join(map(str, value)))] if value else []
        elif value is not None:
            yield name, str(value)


def differing(settings: Mapping[str, object], others: Mapping[str, object]) -> list[str]:
    """Name the settings that differ from those of ``others``, in the order of both."""
    ours, theirs = flat(settings), flat(others)
    return [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]


def shown_differences(
    settings: Mapping[str, object], others: Mapping[str, Mapping[str, object]]
) -> pd.DataFrame:
    """Show each setting that differs from any of the ``others``, which have names.

    Columns: ``setting``, ``this study``, and one for each of the others.
    """
    found = [differing(settings, other) for other in others.values()]
    names = dict.fromkeys(name for names in found for name in names)
    columns = {"this study": flat(settings)} | {name: flat(other) for name, other in others.items()}
    shown = {title: [of.get(name, NOTHING) for name in names] for title, of in columns.items()}
    return pd.DataFrame({"setting": list(names), **shown})
