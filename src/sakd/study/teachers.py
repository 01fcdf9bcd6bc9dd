"""The teachers of a study: plain ones, variants, those that are taught themselves, and several."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sakd.foundation.errors import UserError, require
from sakd.foundation.names import file_name, unknown
from sakd.networks.paths import snapshot_of
from sakd.networks.renormalised import Statistics
from sakd.networks.variants import last_of, network_of
from sakd.objectives import Distillation
from sakd.objectives.parameters import Options
from sakd.study.recipe import Recipe

DENSE = "dgkd"
"""The system by which an assistant learns from several teachers, none of which is left out."""


@dataclass(frozen=True)
class Assistants:
    """How teachers that are taught themselves learn from their own teacher.

    All else is as for other teachers: their recipe, their variants, and the images that they see.

    Attributes:
        distiller: The method, at the weights and options of ``distillation``, for every sample. An
            assistant of several teachers learns by `DENSE` instead.
    """

    distiller: str = "kd"


@dataclass(frozen=True)
class Education:
    """How a teacher is taught.

    Attributes:
        teacher: Its own teacher.
        distiller: The method: a distiller, or a system for several teachers.
        distillation: The weights and options of distillers.
        systems: The settings of systems.
    """

    teacher: Teacher
    distiller: str
    distillation: Distillation
    systems: Options = field(default_factory=dict)


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
        classes: The classes that it knows, see `sakd.study.recipe.VariantRecipe`; none for all.
        education: How it is taught; None where it learns from labels alone.
        members: The teachers that it stands for, where it stands for several; it is not trained.
        whole: The teacher of whose training it is a state; None for most.
        at: The epoch of that training after which it is taken.
        keep: The epochs after which states of it are taken.
    """

    name: str
    recipe: Recipe
    seed: int
    file: Path | None = None
    start: Path | None = None
    renames: Mapping[str, str] = field(default_factory=dict)
    statistics: Statistics | None = None
    label_noise: float = 0.0
    classes: tuple[str | int, ...] = ()
    education: Education | None = None
    members: tuple[Teacher, ...] = ()
    whole: Teacher | None = None
    at: int = 0
    keep: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a state that the training does not have."""
        if self.whole is None:
            return
        found = f"grid.pairs: {self.name!r}"
        require(
            self.whole.trained,
            f"{found}: {self.whole.name} is read from a file: name a teacher that is trained here",
        )
        epochs = self.whole.recipe.epochs
        fine = 1 <= self.at <= epochs
        require(
            fine,
            f"{found}: epoch {self.at} is not one of the {epochs} of {self.whole.name}: "
            f"name one from 1 to {epochs}",
        )

    @property
    def needs(self) -> tuple[Teacher, ...]:
        """The teachers of which it is made, or its own teacher; none for most."""
        if self.whole is not None:
            return (self.whole,)
        return self.members if self.education is None else (self.education.teacher,)

    @property
    def trained(self) -> bool:
        """Tell whether it is trained here."""
        return self.file is None and not self.members and self.whole is None

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
        fine = file_name(name) == name and not name.isdigit()
        require(fine, f"{found}; take letters, digits and underscores, and not digits alone")
    for teacher in teachers:
        _, variant = last_of(teacher)
        if snapshot_of(teacher):
            continue  # of a teacher that is one of these
        if variant is not None and variant not in variants:
            message = unknown("variant of a teacher", variant, variants or ["none"])
            raise UserError(f"grid.pairs, {teacher}: {message}; describe it in teacher_variants")
