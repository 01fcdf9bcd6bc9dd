"""Make the trainings of a study: of its teachers, and of the cells of its grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Unpack

from sakd.data import Groups, Images
from sakd.distillers.method import Method
from sakd.foundation.errors import UserError
from sakd.foundation.keys import content_key, facts_of
from sakd.foundation.randomness import seeded
from sakd.networks import StagedNetwork
from sakd.networks.variants import network_of, slug
from sakd.objectives import (
    OBJECTIVES,
    DataFacts,
    Objective,
    Optimisation,
    Problem,
    Supervised,
    objective_of,
)
from sakd.routing import POLICIES
from sakd.study.facts import FORMAT, facts_alone, facts_distilled
from sakd.study.grid import Cell
from sakd.study.lessons import Lessons
from sakd.study.networks import started_network, trained_network
from sakd.study.recipe import Recipe
from sakd.study.systems import Means, system_training
from sakd.tasks import CLASSIFICATION, Task
from sakd.weights.saved import Weights

TEACHERS = "teachers"
"""The group of all teachers."""


@dataclass(frozen=True)
class Training:
    """One network to train.

    Attributes:
        group: The folder of the store: the id of a row, or ``teachers``.
        id: The name of the training in the store.
        facts: All that determines the result, as plain JSON.
        network: The name of the network whose weights are kept.
        build: Makes the objective, with the given frozen teacher or, for None, with its own; the
            initial weights depend on the seed alone.
        images: The images to learn from.
        recipe: How the network is trained.
        optimisation: Recipes by player, where they differ from the players' own.
        seed: The seed of initial weights, batches and routing.
        task: The task, which gives the measures; the recipe may smooth its labels.
        teacher: Makes the frozen teacher, which trainings of equal `taught_by` may share; None if
            there is no teacher, or it learns too.
        aside: The images set aside, where the policy learns from them.
        groups: How images come together in batches; None for any order.
        shared: Whether several rows have this training, so that another may be about it.
        keep: Epochs after which the weights are kept, whatever the recipe keeps.
        classes: The classes that the network tells apart; none for all of the data.
        swept: The values of a sweep with which it is trained, in words.
    """

    group: str
    id: str
    facts: Mapping[str, Any]
    network: str
    build: Callable[[StagedNetwork | None], Objective]
    images: Images
    recipe: Recipe
    optimisation: Mapping[str, Optimisation]
    seed: int
    task: Task = CLASSIFICATION
    teacher: Callable[[], StagedNetwork] | None = None
    aside: Images | None = None
    groups: Groups | None = None
    shared: bool = False
    keep: tuple[int, ...] = ()
    classes: tuple[str, ...] = ()
    swept: str = ""

    @property
    def title(self) -> str:
        """The name of the training in the log."""
        return f"{self.id}, {self.swept}" if self.swept else self.id

    @cached_property
    def key(self) -> str:
        """The content key: a hash of `facts`."""
        return content_key({"format": FORMAT, **self.facts})

    @property
    def learns_from(self) -> str:
        """A hash that trainings share if they see the same batches in the same order."""
        names = ("data", "statistics", "per_class", "subset_seed", "label_noise")
        recipe = facts_of({"batch": self.recipe.batch_size, "augment": self.recipe.augment})
        recipe |= {} if self.groups is None else {"groups": facts_of(self.groups)}
        return content_key({n: self.facts.get(n) for n in names} | recipe | {"seed": self.seed})

    @property
    def kind(self) -> str:
        """A hash that trainings of a study share if they differ in their seed and split alone.

        They take equally long.
        """
        own = ("seed", "data", "statistics", "subset_seed", "teacher_weights")
        return content_key({name: fact for name, fact in self.facts.items() if name not in own})

    @property
    def taught_by(self) -> str | None:
        """A hash that trainings share if their frozen teachers are the same; None without one."""
        if self.teacher is None:
            return None
        names = ("teacher", "teacher_weights", "teacher_statistics", "data")
        return content_key({name: self.facts.get(name) for name in names})


@dataclass(frozen=True)
class Learner:
    """A network before its training: fresh, or with the weights of ``start``."""

    network: str
    role: str
    seed: int
    lessons: Lessons
    start: Weights | None

    def build(self) -> StagedNetwork:
        """Build the network; its fresh weights follow from the seed and the role."""
        with seeded(self.seed, self.role):
            return started_network(self.network, self.lessons.card, self.start)

    def alone(self, recipe: Recipe, *, group: str, name: str, facts: Mapping[str, Any]) -> Training:
        """Make the training of the network by the labels alone."""
        more = facts_alone(self.network, self.lessons, recipe, self.start)
        return Training(
            group=group,
            id=name,
            facts={**facts, **more},
            network=self.network,
            build=lambda _teacher: Supervised(self.build(), recipe.task),
            images=self.lessons.images,
            recipe=recipe,
            optimisation={"student": recipe.optimisation},
            seed=self.seed,
            classes=self.lessons.card.classes,
        )


def teacher_training(
    teacher: str, seed: int, lessons: Lessons, recipe: Recipe, start: Weights | None = None
) -> Training:
    """Train the network of ``teacher`` by the labels, from ``start`` if it is given.

    The name of a variant is no part of the key: what it stands for is.
    """
    name = "-".join([lessons.card.name, slug(teacher), "teacher", f"s{seed}"])
    network = network_of(teacher)
    learner = Learner(network, "teacher", seed, lessons, start)
    own = {"network": network, "seed": seed}
    return learner.alone(recipe, group=TEACHERS, name=name, facts=own)


def cell_training(
    cell: Cell,
    teacher: Weights | None,
    lessons: Lessons,
    recipe: Recipe,
    start: Weights | None = None,
    **means: Unpack[Means],
) -> Training:
    """Train ``cell.student`` by the method of ``cell``, from ``start`` if it is given.

    Cells of one seed start from the same student and see the same images in the same order. The
    objective raises `UserError` when it is built if the teacher's weights do not fit its network.

    Args:
        cell: The names of the networks and of the method, and the seed.
        teacher: The weights of the teacher; None where no cell of the row needs them.
        lessons: The images to learn from.
        recipe: How the student is trained.
        start: The weights from which the student starts; None for fresh ones.
        means: The parameters of methods; ``distillation`` and ``routing`` are required.

    Raises:
        UserError: The policy learns from images set aside, and there are none; or a system cannot
            be routed.
    """
    student = Learner(cell.student, "student", cell.seed, lessons, start)
    kept = cell.kept
    alone = student.alone(recipe, group=kept.row, name=kept.id, facts=facts_of(kept))
    alone = replace(alone, swept=cell.swept)
    if cell.alone:
        return replace(alone, shared=True)
    if cell.system is not None:
        return system_training(alone, student, cell, teacher, means)
    if teacher is None:
        raise UserError(f"{cell.id} learns from a teacher: give its weights")
    return distilled(alone, student, cell, teacher, means)


def distilled(
    alone: Training,
    student: Learner,
    cell: Cell,
    teacher: Weights,
    means: Means,
) -> Training:
    """Train as ``alone``, with ``teacher`` as the distiller and the policy of ``cell`` say.

    Args:
        alone: The training of the same network by the labels alone.
        student: The network to train.
        cell: Names the networks, the distiller and the policy.
        teacher: The weights of its teacher.
        means: How the losses are weighted, and how the policy is trained.

    Raises:
        UserError: The policy learns from images set aside, and there are none.
    """
    method, policy = Method.of(cell.distiller), POLICIES[cell.policy]
    distillation, routing = means["distillation"].suited(method), means["routing"]
    card, network = student.lessons.card, network_of(cell.teacher)
    data = DataFacts(card.image_shape, alone.images.labels, alone.recipe.task)

    def taught() -> StagedNetwork:
        with seeded(cell.seed, "teacher"):  # its draws are overwritten, and shift no others
            return trained_network(network, card, teacher)

    def build(shared: StagedNetwork | None) -> Objective:
        networks = student.build(), taught() if shared is None else shared
        with seeded(cell.seed, "objective"):
            return objective_of(Problem(*networks, method, policy, data, distillation, routing))

    learns = OBJECTIVES[distillation.objective].changes_teacher()
    fixed = not learns and bool(alone.images.fixed(alone.recipe.augment))
    facts = facts_distilled(cell, method, teacher, distillation, routing, fixed=fixed)
    router = {"router": routing.optimisation(alone.recipe.optimisation)} if policy.trained else {}
    return replace(
        alone,
        facts={**alone.facts, **facts},
        network=method.trained_name(cell.student, network),
        build=build,
        optimisation={**alone.optimisation, **router},
        teacher=None if learns else taught,
        aside=student.lessons.aside_for(cell.policy),
    )
