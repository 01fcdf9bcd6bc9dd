"""Students that are rebuilt with parts of their teachers before they are trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sakd.networks.staged import StagedNetwork


@dataclass(frozen=True)
class Rebuilding:
    """A way to make another network of a student and its teacher, and what that is called.

    Attributes:
        sign: stands between the names of both in the name of the network made of them, from which
            it can be built again.
        make: makes it of the student, the teacher and the shape of the images (C, H, W).
    """

    sign: str
    make: Callable[[StagedNetwork, StagedNetwork, tuple[int, ...]], StagedNetwork]

    def name(self, student: str, teacher: str) -> str:
        """What the network made of those called ``student`` and ``teacher`` is called."""
        return f"{student}{self.sign}{teacher}"

    def parts(self, name: str) -> tuple[str, str] | None:
        """The names of student and teacher, if that is what ``name`` is made of."""
        student, sign, teacher = name.partition(self.sign)
        return (student.strip(), teacher.strip()) if sign else None
