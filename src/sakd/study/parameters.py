"""The parameters of a run, typed and checked once, at the door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sakd.data.parameters import DataParameters
from sakd.distillers.method import Method
from sakd.foundation.errors import require
from sakd.networks import check_network
from sakd.networks.paths import members, snapshot_of, taught_by
from sakd.networks.renormalised import Statistics
from sakd.networks.variants import last_of, network_of
from sakd.objectives import OBJECTIVES, Buildable, Distillation, Routing
from sakd.objectives.parameters import Options, check_options
from sakd.study.classes import check_teachers
from sakd.study.computing import Computing
from sakd.study.fitting import check_pairs
from sakd.study.grid import Grid
from sakd.study.judgement import Judgement
from sakd.study.recipe import Recipe, VariantRecipe
from sakd.study.splits import check_splits
from sakd.study.teachers import DENSE, Assistants, Education, Teacher
from sakd.study.trackers import TRACKERS
from sakd.systems import SYSTEMS


@dataclass(frozen=True)
class Parameters(Computing):
    """All parameters of a run, as in ``conf/base/parameters.yml``; see `Computing` too.

    Attributes:
        trackers: The trackers that receive every epoch: ``tensorboard``, or classes of your own
            as ``package.module:Class``; no result depends on them.
        data: The dataset, and how it is split.
        grid: The cells of the study.
        teacher: How teachers are trained.
        teacher_variants: Teachers that are trained otherwise, by the name that stands after ``@``
            in ``grid.pairs``. A setting that is not given is that of ``teacher``.
        teacher_seed: The seed of their training; where every seed of the grid has its own split,
            it is added to that seed.
        teacher_weights: Files of finished teachers, by network; they are not trained here.
        teacher_start: Files of weights, by network, from which teachers and their variants start
            their training.
        teacher_renames: Prefixes of the names in the files of teachers, and their replacements.
        teacher_statistics: Mean and std that a finished teacher was trained with, by network,
            where they are not those of the data.
        assistants: How teachers that are taught themselves learn: ``A`` in ``T/A/S``.
        student: How students are trained.
        student_weights: Files of weights, by network, from which students start, alone and under
            every teacher.
        student_renames: Like ``teacher_renames``, for the files of students.
        student_lr: Learning rates of students, by network, where they differ from
            ``student.optimisation.lr``.
        distillation: How students learn from their teachers.
        routing: How the routing policy is trained.
        systems: The settings of systems, by system, where they are not its own.
        corruptions: Whether finished networks are tested under corruptions too, which takes six
            more passes over the test images.
        report: How differences are judged in the report; no result depends on it.
    """

    trackers: tuple[str, ...] = ()
    data: DataParameters = field(default_factory=DataParameters)
    grid: Grid = field(default_factory=Grid)
    teacher: Recipe = field(default_factory=Recipe)
    teacher_variants: Mapping[str, VariantRecipe] = field(default_factory=dict)
    teacher_seed: int = 0
    teacher_weights: Mapping[str, Path] = field(default_factory=dict)
    teacher_start: Mapping[str, Path] = field(default_factory=dict)
    teacher_renames: Mapping[str, str] = field(default_factory=dict)
    teacher_statistics: Mapping[str, Statistics] = field(default_factory=dict)
    assistants: Assistants = field(default_factory=Assistants)
    student: Recipe = field(default_factory=Recipe)
    student_weights: Mapping[str, Path] = field(default_factory=dict)
    student_renames: Mapping[str, str] = field(default_factory=dict)
    student_lr: Mapping[str, float] = field(default_factory=dict)
    distillation: Distillation = field(default_factory=Distillation)
    routing: Routing = field(default_factory=Routing)
    systems: Options = field(default_factory=dict)
    corruptions: bool = True
    report: Judgement = field(default_factory=Judgement)

    def __post_init__(self) -> None:
        """Check the numbers, the learning rates among them."""
        super().__post_init__()
        for name, lr in self.student_lr.items():
            require(lr > 0, f"student_lr of {name} must be above 0, got {lr}")

    def teacher_of(self, name: str) -> Teacher:
        """Describe the teacher that the grid calls ``name``."""
        if len(several := members(name)) > 1:
            each = tuple(map(self.teacher_of, several))
            return Teacher(name, self.teacher, self.teacher_seed, members=each)
        if snapshot := snapshot_of(name):
            whole = self.teacher_of(snapshot[0])
            return replace(whole, name=name, whole=whole, at=snapshot[1], keep=())
        network, variant = last_of(name)
        chosen = None if variant is None else self.teacher_variants[variant]
        return Teacher(
            name,
            chosen or self.teacher,
            self.teacher_seed + (chosen.seed if chosen else 0),
            self.teacher_weights.get(name),
            self.teacher_start.get(network),
            self.teacher_renames,
            self.teacher_statistics.get(name),
            chosen.label_noise if chosen else 0.0,
            chosen.classes if chosen else (),
            self._education_by(taught_by(name)),
            keep=self.grid.snapshots(name),
        )

    def _education_by(self, teacher: str | None) -> Education | None:
        if teacher is None:
            return None
        above = self.teacher_of(teacher)
        if not above.members:
            return Education(above, self.assistants.distiller, self.distillation)
        settings = {DENSE: {**self.systems.get(DENSE, {}), "drop": 0}}
        return Education(above, DENSE, self.distillation, settings)

    def student_recipe(self, network: str) -> Recipe:
        """Give the recipe of the student called ``network``, with its own learning rate if any."""
        lr = self.student_lr.get(network, self.student.optimisation.lr)
        return replace(self.student, optimisation=replace(self.student.optimisation, lr=lr))

    def objective_of(self, method: Method) -> type[Buildable]:
        """Give the objective of the cells of ``method``.

        Raises:
            UserError: The objective is unknown, has no teacher, or is not that which it needs.
        """
        name = self.distillation.suited(method).objective
        kind = OBJECTIVES[name]
        known = ", ".join(other for other, system in OBJECTIVES.items() if system.distils)
        require(kind.distils, f"distillation.objective {name!r} has no teacher; known: {known}")
        return kind

    def check(self) -> None:
        """Check every name and option before anything is trained.

        Whether they fit the cells of the grid is checked by `sakd.study.combinations`.

        Raises:
            UserError: A name is unknown, an axis of the grid is wrong, or an option does not fit.
        """
        self.grid.check()
        check_teachers(self)
        for name in self.trackers:
            TRACKERS[name].check()
        self.data.dataset()
        self.check_options()
        self._check_assistants()
        check_pairs(self.grid.pairs, dict(self.grid.methods))
        for training in (self.teacher, *self.teacher_variants.values(), self.student):
            training.augment.check(streamed=self.data.streamed)
        for name in self.student_lr:
            check_network(name)
        self._check_weights()
        check_splits(self)

    def check_options(self) -> None:
        """Check the weights and options of distillers, objectives, systems and policies.

        Raises:
            UserError: One is of an unknown name, or is not one of its own.
        """
        self.distillation.check()
        given = self.distillation.objective_options
        check_options(OBJECTIVES, given, lambda kind: kind.settings)
        check_options(SYSTEMS, self.systems, lambda kind: kind.settings)
        self.routing.check()

    def _check_assistants(self) -> None:
        """Check that the method of assistants can train a teacher, by the objective if need be."""
        method = Method.of(self.assistants.distiller)
        require(
            method.rebuilding is None,
            f"assistants.distiller: {method.name!r} makes another network of its student, which "
            "cannot teach under its own name: take another distiller",
        )
        if any(taught_by(each) for name in self.grid.partners() for each in members(name)):
            self.objective_of(method).check(method)

    def _check_weights(self) -> None:
        """Check that every file of weights is of a network of the grid that can use it."""
        teachers, students = self.grid.partners(), self.grid.students()
        single = [teacher for teacher in teachers if len(members(teacher)) == 1]
        plain = [teacher for teacher in single if teacher == network_of(teacher)]
        for name in self.teacher_weights:
            found = f"teacher_weights names {name!r}, which is trained here"
            require(name == network_of(name), f"{found}; name a plain teacher of grid.pairs")
        for parameter, known in {
            "teacher_weights": plain,
            "teacher_start": tuple(dict.fromkeys(map(network_of, single))),
            "teacher_statistics": tuple(self.teacher_weights),
            "student_weights": students,
        }.items():
            for name in getattr(self, parameter):
                listed = ", ".join(known) or "none"
                require(name in known, f"{parameter} names {name!r}, which is not one of: {listed}")
        for name in self.teacher_start:
            require(
                name not in self.teacher_weights,
                f"{name} is in teacher_weights (finished) and in teacher_start (to be trained "
                "further): keep one of them",
            )

    def check_files(self) -> None:
        """Check that the files of weights exist.

        Raises:
            UserError: A file is missing.
        """
        for parameter in ("teacher_weights", "teacher_start", "student_weights"):
            for name, path in getattr(self, parameter).items():
                found = f"{parameter}: there is no file {path} for {name}"
                require(path.is_file(), f"{found}; correct the path")
