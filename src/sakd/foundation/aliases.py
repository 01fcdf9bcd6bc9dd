"""Aliases in YAML, each of which may stand for many others."""

from __future__ import annotations

import yaml

from sakd.foundation.errors import require

MOST = 10_000
"""The most values of a text with aliases."""


def check_aliases(text: str) -> None:
    """Refuse YAML whose aliases stand for a multitude of values, before a reader copies these.

    Ten lines suffice for thousands of millions of them.

    Raises:
        UserError: There are more than `MOST` values with those that aliases stand for.
        YAMLError: The text is no YAML.
    """
    if "&" in text and "*" in text:
        few = _count(yaml.compose(text, yaml.SafeLoader), {}) <= MOST
        require(few, f"its aliases stand for more than {MOST:,} values: write these out instead")


def _count(node: yaml.Node | None, known: dict[int, int]) -> int:
    """Count the values of a node, of which those that are shared count each time."""
    if not isinstance(node, yaml.CollectionNode):
        return 1
    if id(node) not in known:
        known[id(node)] = MOST  # within itself, where it has no end
        mapping = isinstance(node, yaml.MappingNode)
        parts = [part for pair in node.value for part in pair] if mapping else node.value
        known[id(node)] = 1 + sum(_count(part, known) for part in parts)
    return known[id(node)]
