"""The names under which answers are kept."""

from __future__ import annotations

from sakd.networks.outside.names import slug


def teacher_id(dataset: str, network: str) -> str:
    """Name a teacher among the cells of a study."""
    return f"{dataset}-{slug(network)}-teacher"
