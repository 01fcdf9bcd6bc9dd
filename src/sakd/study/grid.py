"""The grid of a study: which cells there are, and the rows they are trained in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sakd.distillers import DISTILLERS
from sakd.distillers.method import Method
from sakd.foundation.errors import UserError
from sakd.foundation.vocabulary import NONE
from sakd.networks import check_network
from sakd.networks.outside.names import slug, split_pair
from sakd.routing import POLICIES

ALL = "all"
"""On the axis of distillers or of policies: every one there is."""


@dataclass(frozen=True)
class Cell:
    """One training of one student: the unit of a result."""

    dataset: str
    teacher: str
    student: str
    distiller: str
    policy: str
    seed: int

    @property
    def id(self) -> str:
        """A readable name, unique in a grid."""
        networks = slug(self.teacher), slug(self.student)
        parts = [self.dataset, *networks, slug(self.distiller), slug(self.policy)]
        return "-".join([*parts, f"s{self.seed}"])

    @property
    def row(self) -> str:
        """The id of the cell's row."""
        return row_id(self.dataset, self.teacher, self.student, self.seed)

    @property
    def alone(self) -> bool:
        """Whether the student is trained without a teacher."""
        return self.distiller == NONE


@dataclass(frozen=True)
class Row:
    """The cells of one dataset, pair and seed: the unit that a pipeline schedules."""

    dataset: str
    teacher: str
    student: str
    seed: int
    cells: tuple[Cell, ...]

    @property
    def id(self) -> str:
        """A readable name, unique in a grid."""
        return row_id(self.dataset, self.teacher, self.student, self.seed)


@dataclass(frozen=True)
class Grid:
    """The axes of a study.

    Attributes:
        pairs: ``teacher/student`` names of networks, see `sakd.networks.outside.names`.
        distillers: names, or several joined by hyphens; KD goes with each as in the papers.
            ``all`` stands for every one there is.
        policies: names; ``always`` is plain distillation, ``adaptive`` is SAKD. ``all`` likewise.
        seeds: one replication each.
        baseline: whether the student is also trained alone.
    """

    pairs: tuple[str, ...] = ("resnet20/resnet8",)
    distillers: tuple[str, ...] = ("kd",)
    policies: tuple[str, ...] = ("always", "adaptive")
    seeds: tuple[int, ...] = (0,)
    baseline: bool = True

    def __post_init__(self) -> None:
        """Put the names in the place of ``all``."""
        for axis, table in {"distillers": tuple(DISTILLERS), "policies": tuple(POLICIES)}.items():
            given: tuple[str, ...] = getattr(self, axis)
            every = tuple(name for part in given for name in (table if part == ALL else [part]))
            object.__setattr__(self, axis, every)

    def teachers(self) -> tuple[str, ...]:
        """The networks that must be trained first, each once."""
        return tuple(dict.fromkeys(teacher for teacher, _ in self._split_pairs()))

    def students(self) -> tuple[str, ...]:
        """The networks that are distilled into, each once."""
        return tuple(dict.fromkeys(student for _, student in self._split_pairs()))

    def networks(self) -> tuple[str, ...]:
        """Every network, each once."""
        return tuple(dict.fromkeys(name for pair in self._split_pairs() for name in pair))

    def rows(self, dataset: str) -> tuple[Row, ...]:
        """Every cell, by row, in the order of the axes."""
        return tuple(
            Row(dataset, teacher, student, seed, self._of_row(dataset, teacher, student, seed))
            for teacher, student in self._split_pairs()
            for seed in self.seeds
        )

    def cells(self, dataset: str) -> tuple[Cell, ...]:
        """Every cell, in the order of the axes."""
        return tuple(cell for row in self.rows(dataset) for cell in row.cells)

    def check(self) -> None:
        """Say what is wrong with the axes before anything is trained.

        Raises:
            UserError: an axis is empty or repeats itself, or a name is unknown.
        """
        axes: dict[str, Sequence[object]] = {
            "pairs": self.pairs,
            "distillers": self.distillers,
            "policies": self.policies,
            "seeds": self.seeds,
        }
        for name, values in axes.items():
            if not values:
                raise UserError(f"grid.{name} is empty: name at least one")
            if len(set(values)) < len(values):
                raise UserError(f"grid.{name} repeats itself: {', '.join(map(str, values))}")
        if min(self.seeds) < 0:
            raise UserError(f"grid.seeds: {min(self.seeds)} is negative; seeds start at 0")
        self._check_networks()
        self._check_methods()
        for policy in self.policies:
            _ = POLICIES[policy]

    def _of_row(self, dataset: str, teacher: str, student: str, seed: int) -> tuple[Cell, ...]:
        methods = [(d, p) for d in self.distillers for p in self.policies]
        if self.baseline:
            methods.insert(0, (NONE, NONE))
        return tuple(Cell(dataset, teacher, student, d, p, seed) for d, p in methods)

    def _check_networks(self) -> None:
        names: dict[str, str] = {}
        for name in self.networks():
            check_network(name)
            other = names.setdefault(slug(name), name)
            if other != name:
                raise UserError(
                    f"grid.pairs: {other!r} and {name!r} would share the file name {slug(name)!r}: "
                    "write a network the same way everywhere, and rename one of two that differ"
                )

    def _check_methods(self) -> None:
        methods: dict[frozenset[str], str] = {}
        for name in self.distillers:
            other = methods.setdefault(frozenset(Method.of(name).distillers), name)
            if other != name:
                raise UserError(
                    f"grid.distillers: {other!r} and {name!r} are the same method: leave one out"
                )

    def _split_pairs(self) -> list[tuple[str, str]]:
        return [split_pair(pair) for pair in self.pairs]


def row_id(dataset: str, teacher: str, student: str, seed: int) -> str:
    """A row's readable name."""
    return "-".join([dataset, slug(teacher), slug(student), f"s{seed}"])
