"""Trainings of teachers that are taught themselves, as in arXiv:1902.03393 and 2009.08825."""

from __future__ import annotations

from dataclasses import replace

from sakd.objectives import Routing
from sakd.routing import POLICIES
from sakd.routing.always import Always
from sakd.study.grid import Cell
from sakd.study.lessons import Lessons
from sakd.study.systems import Means, system_training
from sakd.study.teachers import Education
from sakd.study.trainings import Learner, Training, distilled
from sakd.weights.saved import Weights


def assistant_training(
    alone: Training,
    lessons: Lessons,
    education: Education,
    taught_by: Weights,
    start: Weights | None = None,
) -> Training:
    """Train a teacher as ``alone``, but under its own teacher, which teaches every sample.

    Args:
        alone: Its training by the labels alone.
        lessons: The images that it learns from.
        education: How it is taught.
        taught_by: The weights of its own teacher.
        start: The weights that it starts from; None for fresh ones.

    Raises:
        UserError: The networks cannot be compared.
    """
    policy = POLICIES.name_of(Always)
    network, seed = alone.network, alone.seed
    names = education.teacher.name, network, education.distiller, policy
    cell = Cell(lessons.card.name, *names, seed)
    facts = {**alone.facts, "distiller": education.distiller, "policy": policy}
    learner = Learner(network, "teacher", seed, lessons, start)
    means = Means(distillation=education.distillation, routing=Routing(), systems=education.systems)
    train = distilled if cell.system is None else system_training
    return train(replace(alone, facts=facts), learner, cell, taught_by, means)
