"""The teachers of a study: plain ones, variants, those that are taught themselves, and several."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sakd.foundation.errors import UserError, require
from sakd.foundation.names import file_name, unknown
from sakd.networks.paths import members
from sakd.networks.renormalised import Statistics
from sakd.networks.variants import last_of, network_of
from sakd.objectives import Distillation
from sakd.study.recipe import Recipe
from sakd.systems import SYSTEMS, Partner


@dataclass(frozen=True)
class Assistants:
    """How teachers that are taught themselves learn from their own teacher.

    All else is as for other teachers: their recipe, their variants, and the images that they see.

    Attributes:
        distiller: The method, at the weights and options of ``distillation``, for every sample.
    """

    distiller: str = "kd"


@dataclass(frozen=True)
class Education:
    """How a teacher is taught.

    Attributes:
        teacher: Its own teacher.
        distiller: The method.
        distillation: The weights and options of the method.
    """

    teacher: Teacher
    distiller: str
    distillation: Distillation


@dataclass(frozen=True)
class Teacher:
    """Where the weights of a teacher come from: a training here, a file, or several teachers.

    Attributes:
        name: The name of the teacher in the grid.
        recipe: How it is trained, unless it is finished.
        seed: The seed of that training.
        file: Finished weights; None to train them here.
        start: Weights from which the training starts; None for fresh ones.
        renames: Prefixes of the names in the files, and their replacements.
        statistics: Mean and std that a finished teacher was trained with; None for those of the
            data.
        label_noise: Share of its training images that get a wrong label.
        education: How it is taught; None where it learns from labels alone.
        members: The teachers that it stands for, where it stands for several; it is not trained.
    """

    name: str
    recipe: Recipe
    seed: int
    file: Path | None = None
    start: Path | None = None
    renames: Mapping[str, str] = field(default_factory=dict)
    statistics: Statistics | None = None
    label_noise: float = 0.0
    education: Education | None = None
    members: tuple[Teacher, ...] = ()

    @property
    def needs(self) -> tuple[Teacher, ...]:
        """The teachers of which it is made, or its own teacher; none for most."""
        return self.members if self.education is None else (self.education.teacher,)

    @property
    def trained(self) -> bool:
        """Tell whether it is trained here."""
        return self.file is None and not self.members

    @property
    def network(self) -> str:
        """The name of its network, or of several, see `sakd.networks.ensemble`."""
        return network_of(self.name)


def check_variants(teachers: Collection[str], variants: Collection[str]) -> None:
    """Check that every variant among ``teachers`` is one of ``variants``, which can name files.

    Raises:
        UserError: A variant is unknown, or its name cannot be part of a file name.
    """
    for name in variants:
        found = f"teacher_variants: {name!r} cannot name a variant"
        require(file_name(name) == name, f"{found}; take letters, digits and underscores")
    for teacher in teachers:
        _, variant = last_of(teacher)
        if variant is not None and variant not in variants:
            message = unknown("variant of a teacher", variant, variants or ["none"])
            raise UserError(f"grid.pairs, {teacher}: {message}; describe it in teacher_variants")


def check_single(teachers: Collection[str]) -> None:
    """Check that none of ``teachers`` stands for several, from which no distiller learns.

    Raises:
        UserError: One of them does.
    """
    fit = [name for name, kind in SYSTEMS.items() if kind.partner is Partner.TEACHERS]
    for teacher in teachers:
        found = f"grid.pairs: {teacher!r} are {len(members(teacher))} teachers, and distillers"
        remedy = f"name one, or take one of the systems for several: {', '.join(fit) or 'none'}"
        require(len(members(teacher)) == 1, f"{found} learn from one: {remedy}")
