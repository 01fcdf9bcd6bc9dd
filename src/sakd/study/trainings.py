"""From a cell of the grid to a job that can be run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from sakd.data import DataCard, Images, labelled_subset
from sakd.foundation.randomness import seeded
from sakd.networks.code import network_code
from sakd.networks.outside.names import slug
from sakd.objectives import Objective, Supervised, distil
from sakd.objectives.build import DataFacts
from sakd.objectives.parameters import Distillation, Routing
from sakd.objectives.rebuilt import trained_name
from sakd.routing import POLICIES
from sakd.study.grid import Cell
from sakd.study.networks import started_network, trained_network
from sakd.study.train import Recipe, Training
from sakd.weights.saved import Weights


@dataclass(frozen=True)
class Lessons:
    """The images that a network learns from.

    Attributes:
        train: all training images.
        card: of the data.
        per_class: only that many labelled images per class; None for all.
        seed: which ones.
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
        """What determines them."""
        of_data = {"data": self.card.sha256, "statistics": self.card.normalisation}
        return of_data | {"per_class": self.per_class, "subset_seed": self.seed}


def teacher_training(
    network: str, seed: int, lessons: Lessons, training: Recipe, start: Weights | None = None
) -> Training:
    """Train ``network`` on the labels, to be a teacher, from ``start`` if there is one."""

    def build() -> Objective:
        with seeded(seed, "teacher"):
            return Supervised(started_network(network, lessons.card, start))

    facts = {"network": network, "seed": seed, **lessons.facts, **_training_facts(training)}
    facts |= _code_facts(network) | _start_facts(start)
    return Training(
        group="teachers",
        id="-".join([lessons.card.name, slug(network), "teacher", f"s{seed}"]),
        facts=facts,
        network=network,
        build=build,
        images=lessons.images,
        training=training,
        optimisation={"student": training.optimisation},
        seed=seed,
    )


def cell_training(
    cell: Cell,
    teacher: Weights,
    lessons: Lessons,
    training: Recipe,
    *,
    distillation: Distillation,
    routing: Routing,
    start: Weights | None = None,
) -> Training:
    """Train ``cell.student``, alone or under ``teacher``, from ``start`` if there is one.

    Cells of one seed start from the same student and see the same images in the same order.

    Raises:
        UserError: the teacher's weights do not fit its network.
    """
    card, images, network = lessons.card, lessons.images, cell.student
    data = DataFacts(card.image_shape, images.labels)

    def build() -> Objective:
        with seeded(cell.seed, "student"):
            student = started_network(cell.student, card, start)
        if cell.alone:
            return Supervised(student)
        with seeded(cell.seed, "objective"):
            return distil(
                student,
                trained_network(cell.teacher, card, teacher),
                cell.distiller,
                cell.policy,
                data,
                distillation=distillation,
                routing=routing,
            )

    facts = {**asdict(cell), **lessons.facts, **_training_facts(training)}
    facts |= _code_facts(cell.student, *(() if cell.alone else (cell.teacher,)))
    facts |= _start_facts(start)
    if not cell.alone:
        network = trained_name(cell.distiller, cell.student, cell.teacher)
        facts |= _method_facts(cell, teacher, distillation, routing)
    router = replace(
        training.optimisation,
        lr=training.optimisation.lr * routing.lr_factor,
        weight_decay=routing.weight_decay,
    )
    return Training(
        group=cell.row,
        id=cell.id,
        facts=facts,
        network=network,
        build=build,
        images=images,
        training=training,
        optimisation={"student": training.optimisation, "router": router},
        seed=cell.seed,
    )


def _training_facts(training: Recipe) -> dict[str, Any]:
    facts = json.loads(json.dumps(asdict(training)))  # tuples become lists, as when read back
    del facts["checkpoint_seconds"]
    return {"training": facts}


def _start_facts(start: Weights | None) -> dict[str, Any]:
    """The weights from which the network starts; fresh ones follow from the seed."""
    return {} if start is None else {"start": start.sha256()}


def _code_facts(*networks: str) -> dict[str, Any]:
    """Hashes of the modules that make ``networks``."""
    return {"code": {k: v for name in networks for k, v in network_code(name).items()}}


def _method_facts(
    cell: Cell, teacher: Weights, distillation: Distillation, routing: Routing
) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "teacher_weights": teacher.sha256(),
        "ce_weight": distillation.ce_weight_with(cell.distiller),
        "train_teacher": distillation.train_teacher,
        "weights": distillation.weights_with(cell.distiller),
        "options": _plain(distillation.options, *distillation.weights_with(cell.distiller)),
        "policy_options": _plain(routing.options, cell.policy),
    }
    if "statistics" in teacher.card:
        facts["teacher_statistics"] = teacher.card["statistics"]
    if POLICIES[cell.policy].trained:
        facts["routing"] = {
            "gamma": routing.gamma,
            "same_family_bias": routing.same_family_bias,
            "lr_factor": routing.lr_factor,
            "weight_decay": routing.weight_decay,
        }
    return facts


def _plain(options: Mapping[str, Mapping[str, float]], *names: str) -> dict[str, dict[str, float]]:
    return {name: dict(options[name]) for name in names if name in options}
