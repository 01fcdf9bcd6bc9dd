"""Make the trainings of a study: of its teachers, and of the cells of its grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from sakd.data import Images
from sakd.distillers.method import Method
from sakd.foundation.keys import content_key
from sakd.foundation.randomness import seeded
from sakd.networks import StagedNetwork
from sakd.networks.outside.names import slug
from sakd.objectives import (
    DataFacts,
    Distillation,
    Objective,
    Optimisation,
    Problem,
    Routing,
    Supervised,
    objective_of,
)
from sakd.routing import POLICIES
from sakd.study.facts import FORMAT, facts_alone, facts_distilled
from sakd.study.grid import Cell
from sakd.study.lessons import Lessons
from sakd.study.networks import started_network, trained_network
from sakd.study.recipe import Recipe
from sakd.tasks import CLASSIFICATION, Task
from sakd.weights.saved import Weights


@dataclass(frozen=True)
class Training:
    """One network to train.

    Attributes:
        group: The folder of the store: the id of a row, or ``teachers``.
        id: The name of the training in the store and in the log.
        facts: All that determines the result, as plain JSON.
        network: The name of the network whose weights are kept.
        build: Makes the objective; its initial weights depend on the seed alone.
        images: The images to learn from.
        recipe: How the network is trained.
        optimisation: Recipes by player, where they differ from the players' own.
        seed: The seed of initial weights, batches and routing.
        task: The task, which gives the label loss and the measures.
    """

    group: str
    id: str
    facts: Mapping[str, Any]
    network: str
    build: Callable[[], Objective]
    images: Images
    recipe: Recipe
    optimisation: Mapping[str, Optimisation]
    seed: int
    task: Task = CLASSIFICATION

    @property
    def key(self) -> str:
        """The content key: a hash of `facts`."""
        return content_key({"format": FORMAT, **self.facts})


@dataclass(frozen=True)
class _Learner:
    """A network before its training: fresh, or with the weights of ``start``."""

    network: str
    role: str
    seed: int
    lessons: Lessons
    start: Weights | None

    def build(self) -> StagedNetwork:
        with seeded(self.seed, self.role):
            return started_network(self.network, self.lessons.card, self.start)

    def alone(self, recipe: Recipe, *, group: str, name: str, facts: Mapping[str, Any]) -> Training:
        """Train the network by the labels alone."""
        more = facts_alone(self.network, self.lessons, recipe, self.start)
        return Training(
            group=group,
            id=name,
            facts={**facts, **more},
            network=self.network,
            build=lambda: Supervised(self.build()),
            images=self.lessons.images,
            recipe=recipe,
            optimisation={"student": recipe.optimisation},
            seed=self.seed,
        )


def teacher_training(
    network: str, seed: int, lessons: Lessons, recipe: Recipe, start: Weights | None = None
) -> Training:
    """Train ``network`` by the labels, to be a teacher, from ``start`` if it is given."""
    name = "-".join([lessons.card.name, slug(network), "teacher", f"s{seed}"])
    learner = _Learner(network, "teacher", seed, lessons, start)
    facts = {"network": network, "seed": seed}
    return learner.alone(recipe, group="teachers", name=name, facts=facts)


def cell_training(
    cell: Cell,
    teacher: Weights,
    lessons: Lessons,
    recipe: Recipe,
    *,
    distillation: Distillation,
    routing: Routing,
    start: Weights | None = None,
) -> Training:
    """Train ``cell.student``, alone or under ``teacher``, from ``start`` if it is given.

    Cells of one seed start from the same student and see the same images in the same order. The
    objective raises `UserError` when it is built if the teacher's weights do not fit its network.
    """
    student = _Learner(cell.student, "student", cell.seed, lessons, start)
    alone = student.alone(recipe, group=cell.row, name=cell.id, facts=asdict(cell))
    if cell.alone:
        return alone
    return _distilled(alone, student, cell, teacher, distillation, routing)


def _distilled(
    alone: Training,
    student: _Learner,
    cell: Cell,
    teacher: Weights,
    distillation: Distillation,
    routing: Routing,
) -> Training:
    """Train as ``alone``, under ``teacher``."""
    method, policy = Method.of(cell.distiller), POLICIES[cell.policy]
    card = student.lessons.card
    data = DataFacts(card.image_shape, alone.images.labels)

    def build() -> Objective:
        learner = student.build()
        with seeded(cell.seed, "objective"):
            taught_by = trained_network(cell.teacher, card, teacher)
            how = distillation, routing
            return objective_of(Problem(learner, taught_by, method, policy, data, *how))

    optimisation = dict(alone.optimisation)
    if policy.trained:
        optimisation["router"] = routing.optimisation(alone.recipe.optimisation)
    return replace(
        alone,
        facts={**alone.facts, **facts_distilled(cell, teacher, distillation, routing)},
        network=method.trained_name(cell.student, cell.teacher),
        build=build,
        optimisation=optimisation,
    )
