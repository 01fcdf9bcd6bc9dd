"""Distillation at spots from a teacher that learns too."""

from __future__ import annotations

from sakd.distillers.method import Method
from sakd.foundation.errors import require
from sakd.objectives.spot_distillation import SpotDistillation
from sakd.objectives.teaching import LearningTeacher


class JointDistillation(SpotDistillation):
    """Train student and teacher together; see `LearningTeacher`."""

    teaching = LearningTeacher()

    @classmethod
    def check(cls, method: Method) -> None:
        """Refuse a method that copies a part of the teacher into the student beforehand."""
        require(
            method.rebuilding is None,
            f"distillation.objective joint: {method.name!r} copies a part of the teacher into the "
            "student beforehand, so the teacher must be trained already: leave one out",
        )
