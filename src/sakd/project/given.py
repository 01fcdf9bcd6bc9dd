"""Parameters as a command line gives them: ``NAME=VALUE``, joined by commas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import product
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from sakd.foundation.errors import require
from sakd.foundation.text import quoted

Place = tuple[str, ...]
"""The names on the way to a value: those of sections, then its own."""


def items(text: str) -> list[str]:
    """Split parameters, as Kedro does.

    >>> items("student.epochs=3, threads=1,")
    ['student.epochs=3', 'threads=1']
    """
    return [item.strip() for item in text.split(",") if item.strip()]


def overridden(text: str, more: str) -> str:
    """Join parameters; of those that both give, ``more`` has the value.

    >>> overridden("student.epochs=3,threads=1", "student.epochs=5")
    'threads=1,student.epochs=5'
    """
    names = {_name(item) for item in items(more)}
    kept = (item for item in items(text) if _name(item) not in names)
    return ",".join([*kept, *items(more)])


def written(parameters: Mapping[str, Any]) -> str:
    """Write parameters so that they are read as they are; what lies in sections by its whole name.

    A list of several values is joined by ``+``, as the parameters of the project take it. What has
    a comma, or names with signs, cannot be given on a command line.

    >>> written({"student": {"epochs": 2}, "grid": {"seeds": [0, 1], "systems": []}})
    'student.epochs=2,grid.seeds=0+1,grid.systems=[]'
    """
    return ",".join(f"{name}={value}" for name, value in _values(parameters))


def _values(given: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for name, value in given.items():
        if isinstance(value, Mapping):
            yield from _values(value, f"{above}{name}.")
        elif isinstance(value, list | tuple) and len(value) > 1:
            yield f"{above}{name}", "+".join(map(str, value))
        else:
            yield f"{above}{name}", _as_yaml(value)


def _as_yaml(value: Any) -> str:  # noqa: ANN401 - of YAML
    """Write a value as YAML on one line, in quotes only where it would be another without."""
    plain = "null" if value is None else str(value)
    with suppress(yaml.YAMLError, OmegaConfBaseException):
        read = OmegaConf.from_dotlist(items(f"value={plain}"))
        if read == {"value": value}:
            return plain
    style, width = '"' if isinstance(value, str) else None, float("inf")
    text = yaml.safe_dump(value, default_style=style, default_flow_style=True, width=width)
    return text.removesuffix("\n").removesuffix("\n...")


def check_given_once(option: str, text: str) -> None:
    """Refuse a value that is given twice, of which Kedro would take the last.

    Args:
        option: What the messages call the parameters.
        text: Parameters that can be read.

    Raises:
        UserError: Two of them have the same name, or one is a part of the other.
    """
    given: dict[Place, str] = {}
    for item in items(text):
        name, _, value = item.partition("=")
        found = OmegaConf.from_dotlist([f"{name.strip()}={value}"])
        places = list(_places(OmegaConf.to_container(found)))
        for place, earlier in product(places, given):
            shared = min(len(place), len(earlier))
            twice = f"{option} gives {'.'.join(place)!r} twice, by {quoted(given[earlier])} and "
            remedy = f"{twice}{quoted(item)}: leave one of them out"
            require(place[:shared] != earlier[:shared], remedy)
        given |= dict.fromkeys(places, item)


def _name(item: str) -> str:
    return item.partition("=")[0].strip()


def _places(content: Any, above: Place = ()) -> Iterator[Place]:  # noqa: ANN401 - of YAML
    """Name the values in nested sections."""
    if not isinstance(content, Mapping):
        yield above
        return
    for name, part in content.items():
        yield from _places(part, (*above, str(name)))
