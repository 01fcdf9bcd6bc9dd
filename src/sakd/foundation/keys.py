"""Content keys: hashes of all that determines a result; new options leave them unchanged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field, fields, is_dataclass
from hashlib import sha256
from typing import Any, TypeVar

T = TypeVar("T")

NEUTRAL = "neutral"
ASIDE = "aside"


def added(neutral: T) -> T:
    """Declare a field of a dataclass that was added after keys were first written.

    At its default, ``neutral``, the field changes no result and is left out of the facts, so that
    trainings from before the field existed keep their keys. To change the default later, keep the
    neutral value: ``field(default=..., metadata={NEUTRAL: ...})``.
    """
    made: T = field(default=neutral, metadata={NEUTRAL: neutral})
    return made


def aside(default: T) -> T:
    """Declare a field of a dataclass that changes no result and so is left out of keys."""
    made: T = field(default=default, metadata={ASIDE: True})
    return made


def facts_of(item: object) -> Any:  # noqa: ANN401 - JSON
    """Convert ``item`` to plain JSON; dataclasses by field, without fields aside or neutral."""
    if is_dataclass(item) and not isinstance(item, type):
        values = ((part, getattr(item, part.name)) for part in fields(item))
        return {part.name: facts_of(value) for part, value in values if _counts(part, value)}
    if isinstance(item, Mapping):
        return {str(name): facts_of(value) for name, value in item.items()}
    if isinstance(item, list | tuple):
        return [facts_of(value) for value in item]
    return item


def _counts(part: Any, value: object) -> bool:  # noqa: ANN401 - dataclasses.Field of anything
    if ASIDE in part.metadata:
        return False
    return NEUTRAL not in part.metadata or value != part.metadata[NEUTRAL]


def content_key(facts: Mapping[str, Any]) -> str:
    """Hash ``facts``, plain JSON; their order does not matter."""
    return sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
