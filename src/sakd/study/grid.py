"""The grid of a study: its cells, and the rows in which they are trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sakd.distillers import DISTILLERS
from sakd.foundation.keys import aside
from sakd.foundation.unchanging import Unchanging
from sakd.foundation.vocabulary import NONE
from sakd.networks.paths import in_order, snapshot_of, split_pair, split_path
from sakd.networks.variants import network_of, root_of, slug, split_variant
from sakd.routing import POLICIES
from sakd.routing.always import Always
from sakd.study.axes import check_axes, check_methods, check_networks
from sakd.study.fitting import fits_somewhere, takes_part
from sakd.study.selection import Override, Selection
from sakd.systems import SYSTEMS, Partner, System, system_of

ALL = "all"
"""On the axes of distillers, systems and policies: all of the table."""

ALWAYS = POLICIES.name_of(Always)
"""The policy of systems that are not routed."""


@dataclass(frozen=True)
class Cell(Unchanging):
    """One training of one student: the unit of a result.

    Attributes:
        dataset: The name of the data.
        teacher: The name of the teacher.
        student: The student's network.
        distiller: The method: distillers or a system; ``none`` for the student alone.
        policy: The routing policy.
        seed: The seed of initial weights, batches and routing.
        swept: Its values of ``grid.sweep``, in words; it is trained as any cell with these
            settings.
    """

    dataset: str
    teacher: str
    student: str
    distiller: str
    policy: str
    seed: int
    swept: str = aside("")

    @property
    def id(self) -> str:
        """A readable name, unique in the grid."""
        networks = slug(self.teacher), slug(self.student)
        parts = [self.dataset, *networks, slug(self.distiller), slug(self.policy)]
        values = [self.swept.replace(", ", "-")] if self.swept else []
        return "-".join([*parts, *values, f"s{self.seed}"])

    @property
    def row(self) -> str:
        """The id of the row of this cell."""
        return row_id(self.dataset, self.teacher, self.student, self.seed)

    @property
    def alone(self) -> bool:
        """Tell whether the student is trained without a teacher."""
        return self.distiller == NONE

    @property
    def system(self) -> type[System[Any]] | None:
        """The way of learning that its method names; None for distillers, and for none."""
        return system_of(self.distiller)

    @property
    def taught(self) -> bool:
        """Tell whether trained teachers take part."""
        if (system := self.system) is not None:
            return system.partner.trained
        return not self.alone

    @property
    def kept(self) -> Cell:
        """The cell as which it is trained: without a teacher it is one for all of the same root.

        Fresh networks that stand for the teacher are of its last network.
        """
        if self.taught:
            return self.unswept
        fresh = self.system is not None and self.system.partner is Partner.PEERS
        return replace(self.unswept, teacher=(network_of if fresh else root_of)(self.teacher))

    @property
    def unswept(self) -> Cell:
        """The cell without its values of a sweep, which its content key knows."""
        return replace(self, swept="") if self.swept else self


@dataclass(frozen=True)
class Row(Unchanging):
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

    @property
    def taught(self) -> bool:
        """Tell whether a cell needs the teacher."""
        return any(cell.taught for cell in self.cells)


@dataclass(frozen=True)
class Grid:
    """The axes of a study.

    Attributes:
        pairs: Names of networks, ``teacher/student``; see `sakd.networks.outside.names`. A teacher
            may be a variant, ``network@variant``, be taught itself, ``teacher/assistant/student``,
            or be several; see `sakd.networks.paths`. Methods are trained in the pairs that have as
            many teachers as they learn from.
        distillers: Names, or several joined by hyphens; KD joins each of them as in the papers.
            ``all`` stands for every distiller of the table.
        systems: Names of ways to learn besides them, see `sakd.systems`. ``all`` stands for every
            system of the table for which the pairs have the right partners, but for those that
            learn from teachers of different classes.
        policies: Names; ``always`` is plain distillation, ``adaptive`` is SAKD. ``all`` stands for
            every policy of the table. They multiply the distillers, and the systems that can be
            routed; the other systems are trained once, by ``always``.
        seeds: One replication each.
        baseline: Whether the student is also trained alone.
        exclude: Cells that are left out.
        overrides: Settings of some cells; the last that sets a parameter counts.
        sweep: Values of parameters of students by their dotted names. A cell that depends on the
            parameter is trained with each of them, see `sakd.study.sweeps`.
    """

    pairs: tuple[str, ...] = ("resnet20/resnet8",)
    distillers: tuple[str, ...] = ("kd",)
    systems: tuple[str, ...] = ()
    policies: tuple[str, ...] = ("always", "adaptive")
    seeds: tuple[int, ...] = (0,)
    baseline: bool = True
    exclude: tuple[Selection, ...] = ()
    overrides: tuple[Override, ...] = ()
    sweep: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Replace ``all`` by the names that it stands for."""
        named = {n: kind for n, kind in SYSTEMS.items() if kind.partner is not Partner.PARTS}
        fit = [name for name, kind in named.items() if fits_somewhere(kind, self.pairs)]
        tables = {"distillers": DISTILLERS, "systems": fit, "policies": POLICIES}
        for axis, table in tables.items():
            given: tuple[str, ...] = getattr(self, axis)
            every = tuple(name for part in given for name in (table if part == ALL else [part]))
            object.__setattr__(self, axis, every)

    @property
    def methods(self) -> tuple[tuple[str, str], ...]:
        """The methods with their policies: the student alone, distillers, systems."""
        routed = [name for name in self.systems if SYSTEMS[name].routable]
        plain = [name for name in self.systems if name not in routed]
        return (
            *([(NONE, NONE)] if self.baseline else []),
            *((name, policy) for name in (*self.distillers, *routed) for policy in self.policies),
            *((name, ALWAYS) for name in plain),
        )

    def partners(self) -> tuple[str, ...]:
        """Name all that stands before the students, each once, after what it depends on."""
        every = (name for teacher, _ in self._split_pairs() for name in in_order(teacher))
        return tuple(dict.fromkeys(every))

    def teachers(self) -> tuple[str, ...]:
        """Name the teachers that cells need, which must be made first, in this order."""
        taught = (row.teacher for row in self.rows("") if row.taught)
        return tuple(dict.fromkeys(name for teacher in taught for name in in_order(teacher)))

    def snapshots(self, teacher: str) -> tuple[int, ...]:
        """List the epochs of the training of ``teacher`` whose states teach too."""
        taken = (snapshot for name in self.partners() if (snapshot := snapshot_of(name)))
        return tuple(sorted(epoch for name, epoch in taken if name == teacher))

    def students(self) -> tuple[str, ...]:
        """Name the networks that are distilled into, each once."""
        return tuple(dict.fromkeys(student for _, student in self._split_pairs()))

    def networks(self) -> tuple[str, ...]:
        """Name all networks, each once."""
        names = (name for pair in self.pairs for name in split_path(pair)[0])
        return tuple(dict.fromkeys(split_variant(name)[0] for name in names))

    def rows(self, dataset: str) -> tuple[Row, ...]:
        """List the rows with their cells, in the order of the axes, before any sweep."""
        if dataset not in self._listed:
            self._listed[dataset] = self._rows(dataset)
        return self._listed[dataset]

    @cached_property
    def _listed(self) -> dict[str, tuple[Row, ...]]:
        return {}  # the rows by dataset, which may be thousands and are asked for again and again

    def _rows(self, dataset: str) -> tuple[Row, ...]:
        methods = self.methods
        found = []
        for teacher, student in self._split_pairs():
            own = [each for each in methods if takes_part(each[0], teacher)]
            for seed in self.seeds:
                every = (Cell(dataset, teacher, student, *each, seed) for each in own)
                cells = tuple(cell for cell in every if not self._excluded(cell))
                found.append(Row(dataset, teacher, student, seed, cells))
        return tuple(row for row in found if row.cells)

    def check(self) -> None:
        """Check the axes before anything is trained.

        Raises:
            UserError: An axis is empty or repeats itself, or a name is unknown.
        """
        names = "pairs", "distillers", "systems", "policies", "seeds"
        check_axes({name: getattr(self, name) for name in names})
        check_networks(self.pairs, self.students(), self.networks(), self.partners())
        check_methods(self.distillers, self.systems)
        for policy in self.policies:
            _ = POLICIES[policy]

    def _excluded(self, cell: Cell) -> bool:
        return any(each.selects(cell) for each in self.exclude)

    def _split_pairs(self) -> list[tuple[str, str]]:
        return [split_pair(pair) for pair in self.pairs]


def row_id(dataset: str, teacher: str, student: str, seed: int) -> str:
    """Give the readable name of a row."""
    return "-".join([dataset, slug(teacher), slug(student), f"s{seed}"])
