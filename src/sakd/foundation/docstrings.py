"""The first sentence of a docstring, for people."""

from __future__ import annotations

import inspect
import re


def first_sentence(item: object) -> str:
    """Give the first sentence of an item's docstring, on one line; empty without a docstring."""
    text = " ".join((inspect.getdoc(item) or "").split())
    return re.split(r"(?<=[.]) ", text)[0]
