"""Parameters as a command line gives them: ``NAME=VALUE``, joined by commas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from omegaconf import OmegaConf

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
