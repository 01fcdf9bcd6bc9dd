"""Check that there are epochs enough for every phase of every training."""

from __future__ import annotations

from contextlib import suppress

import torch

from sakd.data import DataCard
from sakd.distillers.method import Method
from sakd.foundation.errors import UserError
from sakd.objectives import DataFacts, Objective, Phase, Problem, objective_of, spans
from sakd.routing.always import Always
from sakd.study.courses import Course, courses
from sakd.study.networks import sketch
from sakd.study.parameters import Parameters


def check_phases(parameters: Parameters, card: DataCard) -> None:
    """Check that there are epochs enough for the phases of every distillation of the study.

    Raises:
        UserError: There are too few.
    """
    for own, course in courses(parameters):
        method = Method.of(course.method)
        if own.objective_of(method).phases is Objective.phases:
            continue
        phases = _phases(method, course, own, card)
        try:
            spans(phases, course.epochs)
        except UserError as error:
            raise UserError(f"{course.place}: {error}") from error


@torch.random.fork_rng(devices=())
def _phases(
    method: Method, course: Course, parameters: Parameters, card: DataCard
) -> tuple[Phase, ...]:
    """List the phases of a training; none if it cannot be built, and so will fail alone."""
    count, names = len(card.classes), (course.student, course.teacher)
    student, teacher = (sketch(name, count, card.image_shape) for name in names)
    data = DataFacts(card.image_shape, torch.arange(count))
    with suppress(UserError):
        problem = Problem(student, teacher, method, Always, data, parameters.distillation)
        return objective_of(problem).phases()
    return ()
