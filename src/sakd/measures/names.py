"""The names under which answers are kept."""

from __future__ import annotations

from sakd.networks.variants import slug


def teacher_id(dataset: str, teacher: str) -> str:
    """Name a teacher among the cells of a study."""
    return f"{dataset}-{slug(teacher)}-teacher"
