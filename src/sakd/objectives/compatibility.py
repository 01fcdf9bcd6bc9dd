"""Find the spots of a distiller in two networks, and check the features that it meets there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor

from sakd.distillers import DISTILLERS, Distiller
from sakd.distillers.method import Method
from sakd.foundation.errors import UserError, require
from sakd.networks import StagedNetwork, probe
from sakd.networks.spots import Spot, SpotFamily
from sakd.routing import POLICIES, RoutingPolicy

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Shapes:
    """Feature shapes of both networks, without the batch axis, and their number of classes.

    Attributes:
        student: The shape of every feature, such as (C, H, W), in order of depth.
        teacher: The same of the teacher.
        classes: The number of classes of both.
    """

    student: list[Shape]
    teacher: list[Shape]
    classes: int

    @classmethod
    def of(cls, student: StagedNetwork, teacher: StagedNetwork, image_shape: Shape) -> Shapes:
        """Measure both networks on an image of ``image_shape`` (C, H, W).

        Raises:
            UserError: A network cannot take such images, or the two differ in their classes.
        """
        traces = [probe(network, image_shape) for network in (student, teacher)]
        classes = [trace.logits.shape[1] for trace in traces]
        require(
            classes[0] == classes[1],
            f"the student has {classes[0]} classes and the teacher {classes[1]}: take a teacher of "
            "the student's classes",
        )
        ours, theirs = ([tuple(x.shape[1:]) for x in trace.features] for trace in traces)
        return cls(ours, theirs, classes[0])

    def at(self, spots: tuple[Spot, ...]) -> tuple[tuple[Shape, ...], tuple[Shape, ...]]:
        """Give the shapes of student and teacher at ``spots``; (K,) at the logits."""
        logits = (self.classes,)
        student, teacher = [*self.student, logits], [*self.teacher, logits]
        return tuple(student[s.student] for s in spots), tuple(teacher[s.teacher] for s in spots)


def check_labels(labels: Tensor, shapes: Shapes) -> None:
    """Check that the networks have a class for each of the training ``labels`` (N,).

    Raises:
        UserError: A label is beyond their classes.
    """
    count = int(labels.max()) + 1
    require(
        count <= shapes.classes,
        f"student and teacher have {shapes.classes} classes, the training labels go up to "
        f"{count - 1}: build both for {count} classes",
    )


def spots_of(
    name: str, kind: type[Distiller], student: StagedNetwork, teacher: StagedNetwork
) -> tuple[Spot, ...]:
    """Find the spots of the distiller ``kind``, called ``name``.

    Raises:
        UserError: A network has too few stages for them.
    """
    family = kind.family
    spots = family.spots(student.depth, teacher.depth)
    if not spots or min(min(spot) for spot in spots) < 0:
        stages = [", ".join(network.stage_names) for network in (student, teacher)]
        ends = [n for n, known in DISTILLERS.items() if known.family.axes != "CHW"]
        raise UserError(
            f"distiller {name!r} looks at {family.value!r}, which these networks do not have: the "
            f"student is {stages[0]}, the teacher {stages[1]}; for any network: {', '.join(ends)}"
        )
    return spots


def check_order(spots: tuple[Spot, ...], student: StagedNetwork, teacher: StagedNetwork) -> None:
    """Check that no two of ``spots``, in order of depth, cross, so that a graft can pass them all.

    Raises:
        UserError: A spot pairs a deeper stage of the student with a shallower one of the teacher.
    """
    for first, second in pairwise(spots):
        if first.teacher > second.teacher:
            said = [
                f"{student.stage_names[spot.student]} of the student with "
                f"{teacher.stage_names[spot.teacher]} of the teacher"
                for spot in (first, second)
            ]
            raise UserError(
                f"the method compares {' and '.join(said)}: no policy can be trained where spots "
                "cross; take its distillers one at a time, or networks of equally many stages"
            )


def check_shares(method: Method, weights: Mapping[str, float], policy: type[RoutingPolicy]) -> None:
    """Check that the distillers of ``method`` take the shares of ``policy``.

    Args:
        method: The distillers.
        weights: Their weights; those that are not named do not count.
        policy: The policy.

    Raises:
        UserError: The policy weighs samples, and a distiller relates them to each other.
    """
    deaf = [name for name in weights if not method.everyone[name].weighs]
    if policy.weighs and deaf:
        others = ", ".join(name for name, kind in POLICIES.items() if not kind.weighs)
        raise UserError(
            f"policy {POLICIES.name_of(policy)!r} weighs samples, but the loss of {deaf[0]} takes "
            f"them fully or not at all: leave one of the two out; policies that choose: {others}"
        )


def check_features(
    name: str,
    kind: type[Distiller],
    shapes: Shapes,
    student: StagedNetwork,
    teacher: StagedNetwork,
) -> None:
    """Check that the distiller ``kind``, called ``name``, can use the features at its spots.

    Raises:
        UserError: It compares maps or embeddings and meets other shapes, or it has no spots.
    """
    if kind.any_shape:
        return
    logits = SpotFamily.LOGITS.spots(student.depth, teacher.depth)
    spots = tuple(s for s in spots_of(name, kind, student, teacher) if s not in logits)
    for spot, *found in zip(spots, *shapes.at(spots), strict=True):
        if any(len(shape) != len(kind.family.axes) for shape in found):
            tolerant = [n for n, k in DISTILLERS.items() if k.any_shape or k.family.axes != "CHW"]
            raise UserError(
                f"distiller {name!r} needs features ({', '.join(kind.family.axes)}), but "
                f"{student.stage_names[spot.student]} of the student gives {found[0]} and "
                f"{teacher.stage_names[spot.teacher]} of the teacher {found[1]}; distillers that "
                f"take other shapes: {', '.join(tolerant)}"
            )
