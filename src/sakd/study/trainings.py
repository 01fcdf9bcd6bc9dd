"""From a cell of the grid to a training that can be run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from sakd.data import DataCard, Images, labelled_subset
from sakd.distillers.method import Method
from sakd.foundation.fingerprint import code_of
from sakd.foundation.keys import content_key, facts_of
from sakd.foundation.randomness import seeded
from sakd.networks import StagedNetwork
from sakd.networks.code import network_code
from sakd.networks.outside.names import slug
from sakd.objectives import (
    OBJECTIVES,
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
from sakd.study.grid import Cell
from sakd.study.networks import started_network, trained_network
from sakd.study.recipe import Recipe
from sakd.tasks import CLASSIFICATION, Task
from sakd.training import train
from sakd.weights.saved import Weights

FORMAT = 4
"""Part of every content key: raise it when results change though no code or parameter did.

2: adapters are made for any two shapes, and some of those between maps have another kernel; the
key tells the code of networks from outside, whether the teacher is trained too, and by what images
are normalised; ab compares responses before the rectifier.
3: ab and ofd compare features of pre-activation networks after the next stage's batch norm.
4: every purpose draws from a generator of its own; the key tells the code of all that a training
uses, and leaves out parameters that were added later, at the value that changes nothing.
"""


@dataclass(frozen=True)
class Lessons:
    """The images that a network learns from.

    Attributes:
        train: All training images.
        card: Of the data.
        per_class: Only that many labelled images per class; None for all.
        seed: Which ones.
    """

    train: Images
    card: DataCard
    per_class: int | None = None
    seed: int = 0

    @property
    def images(self) -> Images:
        """The images themselves."""
        return labelled_subset(self.train, self.per_class, self.seed)

    @property
    def facts(self) -> dict[str, Any]:
        """All that determines them, as plain JSON."""
        of_data = {"data": self.card.sha256, "statistics": self.card.normalisation}
        return of_data | {"per_class": self.per_class, "subset_seed": self.seed}


@dataclass(frozen=True)
class Training:
    """One network to train.

    Attributes:
        group: The folder of the store: a row's id, or ``teachers``.
        id: Names the training in the store and in the log.
        facts: All that determines the result, as plain JSON; hashed into the content key.
        network: The name of the network whose weights are kept.
        build: Makes the objective, from torch's seeded random state.
        images: What it learns from.
        recipe: How.
        optimisation: By player, where it differs from the players' own.
        seed: Of initial weights, batches and routing.
        task: What is learnt from the labels, and how it is measured.
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
        """Content hash of `facts`."""
        return content_key({"format": FORMAT, **self.facts})


def teacher_training(
    network: str, seed: int, lessons: Lessons, recipe: Recipe, start: Weights | None = None
) -> Training:
    """Train ``network`` on the labels, to be a teacher, from ``start`` if there is one."""

    def build() -> Objective:
        with seeded(seed, "teacher"):
            return Supervised(started_network(network, lessons.card, start))

    facts = {"network": network, "seed": seed, **lessons.facts, "training": facts_of(recipe)}
    facts["code"] = code_of(train, Supervised) | network_code(network)
    facts |= _start_facts(start)
    return Training(
        group="teachers",
        id="-".join([lessons.card.name, slug(network), "teacher", f"s{seed}"]),
        facts=facts,
        network=network,
        build=build,
        images=lessons.images,
        recipe=recipe,
        optimisation={"student": recipe.optimisation},
        seed=seed,
    )


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
    """Train ``cell.student``, alone or under ``teacher``, from ``start`` if there is one.

    Cells of one seed start from the same student and see the same images in the same order.

    Raises:
        UserError: The teacher's weights do not fit its network.
    """
    student = partial(_student, cell, lessons, start)
    facts = {**asdict(cell), **lessons.facts, "training": facts_of(recipe)}
    facts |= {"code": code_of(train, Supervised) | network_code(cell.student)}
    alone = Training(
        group=cell.row,
        id=cell.id,
        facts=facts | _start_facts(start),
        network=cell.student,
        build=lambda: Supervised(student()),
        images=lessons.images,
        recipe=recipe,
        optimisation={"student": recipe.optimisation},
        seed=cell.seed,
    )
    if cell.alone:
        return alone
    method, policy = Method.of(cell.distiller), POLICIES[cell.policy]

    def build() -> Objective:
        data = DataFacts(lessons.card.image_shape, alone.images.labels)
        networks = student(), _teacher(cell, lessons.card, teacher)
        with seeded(cell.seed, "objective"):
            return objective_of(Problem(*networks, method, policy, data, distillation, routing))

    router = {"router": routing.optimisation(recipe.optimisation)} if policy.trained else {}
    return replace(
        alone,
        facts={**alone.facts, **_method_facts(cell, teacher, distillation, routing)},
        network=method.trained_name(cell.student, cell.teacher),
        build=build,
        optimisation={**alone.optimisation, **router},
    )


def _student(cell: Cell, lessons: Lessons, start: Weights | None) -> StagedNetwork:
    with seeded(cell.seed, "student"):
        return started_network(cell.student, lessons.card, start)


def _teacher(cell: Cell, card: DataCard, weights: Weights) -> StagedNetwork:
    with seeded(cell.seed, "teacher"):  # draws that are overwritten, and shift no others
        return trained_network(cell.teacher, card, weights)


def _start_facts(start: Weights | None) -> dict[str, Any]:
    """The weights from which the network starts; fresh ones follow from the seed."""
    return {} if start is None else {"start": start.sha256()}


def _method_facts(
    cell: Cell, teacher: Weights, distillation: Distillation, routing: Routing
) -> dict[str, Any]:
    method, policy = Method.of(cell.distiller), POLICIES[cell.policy]
    weights = distillation.weights_of(method)
    kinds = [method.everyone[name] for name in weights]
    code = code_of(train, OBJECTIVES[distillation.objective], policy, *kinds)
    facts: dict[str, Any] = {
        "code": code | network_code(cell.student) | network_code(cell.teacher),
        "teacher_weights": teacher.sha256(),
        "objective": distillation.objective,
        "ce_weight": distillation.ce_weight_of(method),
        "weights": weights,
        "options": _chosen(distillation.options, *weights),
        "policy_options": _chosen(routing.options, cell.policy),
    }
    if "statistics" in teacher.card:
        facts["teacher_statistics"] = teacher.card["statistics"]
    if policy.trained:
        facts["routing"] = {k: v for k, v in facts_of(routing).items() if k != "options"}
    return facts


def _chosen(options: Mapping[str, Mapping[str, float]], *names: str) -> dict[str, dict[str, float]]:
    return {name: dict(options[name]) for name in names if name in options}
