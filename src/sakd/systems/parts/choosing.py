"""The parts of a choice among several teachers: the policy, what it sees, and the adapters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from sakd.data import Batch
from sakd.foundation.errors import require
from sakd.objectives import Graft, Outputs, SpotDistillation
from sakd.objectives.compatibility import Shapes, check_order
from sakd.routing import POLICIES, RoutingPolicy, Scene, View
from sakd.systems.base import Situation
from sakd.tasks import Task


def scene_among(task: Task, student: Outputs, taught: Sequence[Outputs], batch: Batch) -> Scene:
    """Show the student, and all teachers as one network.

    Its embeddings are theirs in a row, its logits their mean.
    """
    judge = partial(task.losses, batch=batch)
    embeddings = [task.embedding(one.features) for one in taught]
    logits = torch.stack([one.logits for one in taught]).mean(dim=0)
    teachers = View((*embeddings, logits), _in_a_row, judge)
    return Scene(View(student.closed, task.embedding, judge), teachers, batch)


def _in_a_row(embeddings: Sequence[Tensor]) -> Tensor:
    return torch.cat(list(embeddings), dim=1)


def check_stages(lessons: Sequence[SpotDistillation]) -> None:
    """Check that the student meets all teachers at the same of its stages.

    Raises:
        UserError: It does not.
    """
    first = [spot.student for spot in lessons[0].spots]
    for number, lesson in enumerate(lessons[1:], start=2):
        require(
            [spot.student for spot in lesson.spots] == first,
            f"the student meets teacher 1 at {', '.join(lessons[0].spot_names)} and teacher "
            f"{number} at {', '.join(lesson.spot_names)}: take teachers of equally many stages, or "
            "a method of the logits",
        )


def policy_of(situation: Situation, shapes: Sequence[Shapes], spots: int) -> RoutingPolicy:
    """Make the policy of ``situation``, which chooses among its teachers at so many ``spots``.

    Raises:
        UserError: It cannot choose among teachers.
    """
    kind, routing = situation.policy, situation.routing
    name = POLICIES.name_of(kind)
    require(
        kind.among,
        f"policy {name!r} cannot choose among several teachers; those that can: "
        f"{', '.join(known for known, one in POLICIES.items() if one.among)}",
    )
    width = sum(shape.teacher[-1][0] for shape in shapes)
    options: Any = routing.options.get(name, {})
    policy: RoutingPolicy = kind(shapes[0].student[-1][0], width, spots, len(shapes), **options)
    for number, teacher in enumerate(situation.partners):
        if teacher.family == situation.student.family:
            policy.favour_distilling(routing.same_family_bias, number)
    return policy


def graft_of(lesson: SpotDistillation, shapes: Shapes) -> Graft:
    """Make the adapters of one teacher.

    Raises:
        UserError: Spots cross, so that no graft can pass them all.
    """
    check_order(lesson.spots, lesson.student, lesson.teacher)
    return Graft(lesson.spots, *shapes.at(lesson.spots[:-1]))
