"""Students that their distiller rebuilds."""

from __future__ import annotations

from sakd.distillers import DISTILLERS
from sakd.distillers.method import members
from sakd.foundation.errors import require
from sakd.networks import StagedNetwork
from sakd.networks.rebuilt import Rebuilding
from sakd.objectives.compatibility import Shapes, check_features


def rebuilding_of(method: str) -> Rebuilding | None:
    """What is done to the student before ``method`` trains it.

    Raises:
        UserError: there is no such method, or several of its distillers would do something.
    """
    found = [name for name in members(method) if DISTILLERS[name].rebuilding is not None]
    require(len(found) <= 1, f"method {method!r}: {' and '.join(found)} each rebuild the student")
    return DISTILLERS[found[0]].rebuilding if found else None


def rebuilt_student(
    method: str, student: StagedNetwork, teacher: StagedNetwork, image_shape: tuple[int, ...]
) -> StagedNetwork:
    """What is trained by ``method``: ``student``, or what is made of both.

    Raises:
        UserError: they have no features that the distiller could use.
    """
    rebuilding = rebuilding_of(method)
    if rebuilding is None:
        return student
    shapes = Shapes.of(student, teacher, image_shape)
    for name in members(method):
        if DISTILLERS[name].rebuilding is not None:
            check_features(name, shapes, student, teacher)
    return rebuilding.make(student, teacher, image_shape)


def trained_name(method: str, student: str, teacher: str) -> str:
    """The name of what is trained, from the names of both networks."""
    rebuilding = rebuilding_of(method)
    return student if rebuilding is None else rebuilding.name(student, teacher)
