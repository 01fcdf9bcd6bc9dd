"""Frozen teachers that several trainings share."""

from __future__ import annotations

from sakd.networks import StagedNetwork
from sakd.study.trainings import Training


class Teachers(dict[tuple[str, tuple[bool, bool]], StagedNetwork]):
    """Frozen teachers, one network for all trainings that it teaches in one layout."""

    def of(self, training: Training) -> StagedNetwork | None:
        """Give the frozen teacher of ``training``; None without one."""
        if training.teacher is None or (name := training.taught_by) is None:
            return None
        key = name, training.recipe.arithmetic.layout
        if key not in self:
            self[key] = training.teacher()
        return self[key]
