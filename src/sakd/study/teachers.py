"""The teachers of a study: plain ones, and variants that are trained otherwise."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sakd.foundation.errors import UserError, require
from sakd.foundation.names import file_name, unknown
from sakd.networks.renormalised import Statistics
from sakd.networks.variants import network_of, split_variant
from sakd.study.recipe import Recipe


@dataclass(frozen=True)
class Teacher:
    """Where the weights of a teacher come from: a training here, or a file.

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
    """

    name: str
    recipe: Recipe
    seed: int
    file: Path | None = None
    start: Path | None = None
    renames: Mapping[str, str] = field(default_factory=dict)
    statistics: Statistics | None = None
    label_noise: float = 0.0

    @property
    def network(self) -> str:
        """The name of its network."""
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
        _, variant = split_variant(teacher)
        if variant is not None and variant not in variants:
            message = unknown("variant of a teacher", variant, variants or ["none"])
            raise UserError(f"grid.pairs, {teacher}: {message}; describe it in teacher_variants")
