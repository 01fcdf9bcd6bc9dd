"""The splits of a study: one for all seeds, or one for each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sakd.foundation.errors import require

if TYPE_CHECKING:
    from sakd.study.parameters import Parameters


@dataclass(frozen=True)
class StudySplit:
    """The part of a study that has one split of the data.

    Attributes:
        data: The name of its images, and of its teachers, in the catalog.
        parameters: Those of this part: of its images, its seeds, and its teachers.
        prefix: Begins the names of these parameters for nodes.
    """

    data: str
    parameters: Parameters
    prefix: str = ""

    def given(self, name: str) -> str:
        """Name a parameter of this part as nodes ask for it."""
        return f"params:{self.prefix}{name}"


def splits_of(parameters: Parameters) -> tuple[StudySplit, ...]:
    """List the parts of a study that have a split each, in the order of the seeds."""
    name = parameters.data.slug
    if parameters.data.shared:
        return (StudySplit(name, parameters),)
    left = {row.seed for row in parameters.grid.rows(name)}
    seeds = (seed for seed in parameters.grid.seeds if seed in left)
    named = {f"{name}_s{seed}": of_seed(parameters, seed) for seed in seeds}
    return tuple(StudySplit(data, part, f"splits.{data}.") for data, part in named.items())


def of_seed(parameters: Parameters, seed: int) -> Parameters:
    """Give the parameters of ``seed`` where every seed has its own split and teachers."""
    return replace(
        parameters,
        data=parameters.data.of_seed(seed),
        grid=replace(parameters.grid, seeds=(seed,)),
        teacher_seed=parameters.teacher_seed + seed,
    )


def check_splits(parameters: Parameters) -> None:
    """Check that no finished teacher has learned from images that are tested.

    Raises:
        UserError: Every seed has its own test images, and a finished teacher is one for all.
    """
    finished = ", ".join(parameters.teacher_weights)
    found = f"data.splits per_seed, and teacher_weights of {finished}: one teacher for all seeds"
    remedy = "may know their test images; leave teacher_weights out, or set data.splits to shared"
    require(parameters.data.shared or not finished, f"{found} {remedy}")
