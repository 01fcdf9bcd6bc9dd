"""Where a distiller looks in two networks, and whether it can use what it finds there."""

from __future__ import annotations

from sakd.distillers import DISTILLERS, Pair
from sakd.errors import UserError
from sakd.networks import StagedNetwork
from sakd.networks.spots import Spot, SpotFamily


def spots_of(name: str, student: StagedNetwork, teacher: StagedNetwork) -> tuple[Spot, ...]:
    """The spots of the distiller called ``name``.

    Raises:
        UserError: a network has too few stages to have any.
    """
    family = DISTILLERS[name].family
    spots = family.spots(student.depth, teacher.depth)
    if not spots or min(min(spot) for spot in spots) < 0:
        stages = [", ".join(network.stage_names) for network in (student, teacher)]
        ends = [n for n, kind in DISTILLERS.items() if kind.family.axes != "CHW"]
        raise UserError(
            f"distiller {name!r} looks at {family.value!r}, which these networks do not have: the "
            f"student is {stages[0]}, the teacher {stages[1]}; for any network: {', '.join(ends)}"
        )
    return spots


def check_features(name: str, pair: Pair, student: StagedNetwork, teacher: StagedNetwork) -> None:
    """See that the distiller called ``name`` takes features of these shapes.

    Raises:
        UserError: it compares maps or embeddings, and there are others.
    """
    kind = DISTILLERS[name]
    if kind.any_shape or kind.family is SpotFamily.LOGITS:
        return
    for spot, *shapes in zip(pair.spots, pair.student_shapes, pair.teacher_shapes, strict=True):
        if any(len(shape) != len(kind.family.axes) for shape in shapes):
            tolerant = [n for n, k in DISTILLERS.items() if k.any_shape or k.family.axes != "CHW"]
            raise UserError(
                f"distiller {name!r} needs features ({', '.join(kind.family.axes)}), but "
                f"{student.stage_names[spot.student]} of the student gives {shapes[0]} and "
                f"{teacher.stage_names[spot.teacher]} of the teacher {shapes[1]}; distillers that "
                f"take other shapes: {', '.join(tolerant)}"
            )
