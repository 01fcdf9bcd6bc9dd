"""The grid of a study: its cells, and the rows in which they are trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sakd.distillers import DISTILLERS
from sakd.distillers.method import Method
from sakd.foundation.errors import UserError, require
from sakd.foundation.vocabulary import NONE
from sakd.networks import check_network
from sakd.networks.paths import TOGETHER, in_order, split_pair, split_path
from sakd.networks.variants import root_of, slug, split_variant
from sakd.routing import POLICIES

ALL = "all"
"""On the axes of distillers and of policies: all of the table."""


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
        """A readable name, unique in the grid."""
        networks = slug(self.teacher), slug(self.student)
        parts = [self.dataset, *networks, slug(self.distiller), slug(self.policy)]
        return "-".join([*parts, f"s{self.seed}"])

    @property
    def row(self) -> str:
        """The id of the row of this cell."""
        return row_id(self.dataset, self.teacher, self.student, self.seed)

    @property
    def alone(self) -> bool:
        """Tell whether the student is trained without a teacher."""
        return self.distiller == NONE

    @property
    def kept(self) -> Cell:
        """The cell as which it is trained: a student alone is one for all teachers of one root."""
        return replace(self, teacher=root_of(self.teacher)) if self.alone else self


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
        """A readable name, unique in the grid."""
        return row_id(self.dataset, self.teacher, self.student, self.seed)


@dataclass(frozen=True)
class Grid:
    """The axes of a study.

    Attributes:
        pairs: Names of networks, ``teacher/student``; see `sakd.networks.outside.names`. A teacher
            may be a variant, ``network@variant``, be taught itself, ``teacher/assistant/student``,
            or be several; see `sakd.networks.paths`.
        distillers: Names, or several joined by hyphens; KD joins each of them as in the papers.
            ``all`` stands for every distiller of the table.
        policies: Names; ``always`` is plain distillation, ``adaptive`` is SAKD. ``all`` stands for
            every policy of the table.
        seeds: One replication each.
        baseline: Whether the student is also trained alone.
    """

    pairs: tuple[str, ...] = ("resnet20/resnet8",)
    distillers: tuple[str, ...] = ("kd",)
    policies: tuple[str, ...] = ("always", "adaptive")
    seeds: tuple[int, ...] = (0,)
    baseline: bool = True

    def __post_init__(self) -> None:
        """Replace ``all`` by the names that it stands for."""
        for axis, table in {"distillers": tuple(DISTILLERS), "policies": tuple(POLICIES)}.items():
            given: tuple[str, ...] = getattr(self, axis)
            every = tuple(name for part in given for name in (table if part == ALL else [part]))
            object.__setattr__(self, axis, every)

    def teachers(self) -> tuple[str, ...]:
        """Name the teachers, which must be made first, and in this order, each once."""
        every = (name for teacher, _ in self._split_pairs() for name in in_order(teacher))
        return tuple(dict.fromkeys(every))

    def students(self) -> tuple[str, ...]:
        """Name the networks that are distilled into, each once."""
        return tuple(dict.fromkeys(student for _, student in self._split_pairs()))

    def networks(self) -> tuple[str, ...]:
        """Name all networks, each once."""
        names = (name for pair in self.pairs for name in split_path(pair)[0])
        return tuple(dict.fromkeys(split_variant(name)[0] for name in names))

    def rows(self, dataset: str) -> tuple[Row, ...]:
        """List all rows with their cells, in the order of the axes."""
        return tuple(
            Row(dataset, teacher, student, seed, self._of_row(dataset, teacher, student, seed))
            for teacher, student in self._split_pairs()
            for seed in self.seeds
        )

    def cells(self, dataset: str) -> tuple[Cell, ...]:
        """List all cells, in the order of the axes."""
        return tuple(cell for row in self.rows(dataset) for cell in row.cells)

    def check(self) -> None:
        """Check the axes before anything is trained.

        Raises:
            UserError: An axis is empty or repeats itself, or a name is unknown.
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
        for pair in self.pairs:
            _check_path(pair)
        for student in self.students():
            network, variant = split_variant(student)
            found = f"grid.pairs: the student {student!r}: only teachers have variants"
            require(variant is None, f"{found}; name it {network!r}")
        for network in self.networks():
            check_network(network)
        names: dict[str, str] = {}
        for name in dict.fromkeys((*self.networks(), *self.teachers())):
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


def _check_path(pair: str) -> None:
    """Check that no teacher is named twice, nor one of several steps once more as the student."""
    names, signs = split_path(pair)
    steps = len(signs) - signs.count(TOGETHER)
    once = names if steps > 1 else names[:-1]
    for name in once:
        found = f"grid.pairs: {pair!r} names {name!r} twice"
        remedy = "name each network once, or variants of it, network@variant"
        require(once.count(name) == 1, f"{found}; {remedy}")


def row_id(dataset: str, teacher: str, student: str, seed: int) -> str:
    """Give the readable name of a row."""
    return "-".join([dataset, slug(teacher), slug(student), f"s{seed}"])
