"""Parts of a step that may overlap: each waits before it reads or changes what another is at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from sakd.data import Batch
from sakd.distillers import DISTILLERS
from sakd.objectives import Objective, SpotDistillation, answer
from sakd.objectives.branches import Branches, Wait
from sakd.routing import POLICIES
from sakd.training import Run

CASES = [*dict.fromkeys([*((m, "adaptive") for m in DISTILLERS), *(("at", p) for p in POLICIES)])]

Moment = tuple[str, int]
"""A branch, and how many operations it had had."""


class Races(TorchDispatchMode, Branches):
    """Branches in line, which note the operations that would race if they overlapped.

    Attributes:
        found: What was found, in words.
        opened: How often each branch was opened.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.opened: Counter[str] = Counter()
        self._known: dict[str, Counter[str]] = {"": Counter()}  # of others, by branch
        self._here = ""
        self._writes: dict[int, Moment] = {}
        self._reads: dict[int, list[Moment]] = {}
        self._alive: list[Tensor] = []  # so that no place in memory is used again

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        schema = func._schema.arguments  # type: ignore[attr-defined]
        given = [*zip(schema, args, strict=False), *((a, kwargs.get(a.name)) for a in schema)]
        self._known[self._here][self._here] += 1
        if func.is_view:  # type: ignore[attr-defined]
            return func(*args, **kwargs)  # no work of a device
        for argument, value in given:
            changes = argument.alias_info is not None and argument.alias_info.is_write
            for x in tree_leaves(value):
                if isinstance(x, Tensor):
                    self._touch(x, str(func), changes=changes)
        result = func(*args, **kwargs)
        for x in tree_leaves(result):
            if isinstance(x, Tensor):
                self._writes.setdefault(_place(x), self._now())
                self._alive.append(x)
        return result

    def _now(self) -> Moment:
        return self._here, self._known[self._here][self._here]

    def _touch(self, x: Tensor, name: str, *, changes: bool) -> None:
        place = _place(x)
        self._alive.append(x)
        before = [self._writes[place]] if place in self._writes else []
        before += self._reads.get(place, []) if changes else []
        for branch, count in before:
            if branch != self._here and self._known[self._here][branch] < count:
                self.found.append(f"{name} in {self._here!r} beside {branch!r}")
        if changes:
            self._writes[place] = self._now()
            self._reads[place] = []
        else:
            self._reads.setdefault(place, []).append(self._now())

    def _learn(self, what: Counter[str]) -> None:
        self._known[self._here] |= what

    @contextmanager
    def branch(self, name: str, *read: object) -> Iterator[Wait]:
        self.opened[name] += 1
        before = self._known[self._here].copy()
        done: Counter[str] = Counter()
        self._known.setdefault(name, Counter())
        with self.along(name):
            self._learn(before)
            yield lambda: self._learn(done)
            done |= self._known[name]

    @contextmanager
    def along(self, name: str) -> Iterator[None]:
        if name not in self._known:
            yield
            return
        here, self._here = self._here, name
        try:
            yield
        finally:
            self._here = here

    def join(self) -> None:
        for known in list(self._known.values()):
            self._learn(known)


def _place(x: Tensor) -> int:
    """Give where ``x`` is in memory; one without elements is nowhere but in itself."""
    return x.untyped_storage().data_ptr() or -id(x)


def races_of(objective: Objective, batch: Batch) -> Races:
    """Take two steps, as the second changes what the first has left."""
    run = Run(objective, epochs=1)
    run.objective.train()
    races = Races()
    objective.overlap = races
    with races:
        for _ in range(2):
            (outputs,) = answer([objective.request()], batch.images, races)
            run.learn(batch, outputs)
    return races


@pytest.mark.parametrize(("method", "policy"), CASES)
def test_no_part_of_a_step_races_with_another(
    method: str,
    policy: str,
    small_objective: Callable[..., SpotDistillation],
    small_batch: Callable[..., Batch],
) -> None:
    objective = small_objective(method, policy)
    races = races_of(objective, small_batch(0))
    assert races.found == []
    assert races.opened["teachers"] == 2
    trained = objective.router.graft is not None and len(objective.spots) > 1
    assert (races.opened["grafted student"] > 0) == trained


@pytest.mark.parametrize("objective", ["joint", "unix", "meta"])
def test_no_part_of_a_step_of_another_objective_races(
    objective: str,
    small_objective: Callable[..., SpotDistillation],
    small_batch: Callable[..., Batch],
) -> None:
    method = "l2tww" if objective == "meta" else "at"
    races = races_of(small_objective(method, "adaptive", objective=objective), small_batch(0))
    assert races.found == []
    assert races.opened["router"] == 0  # these go on with what routing gives, or run networks again


def test_a_router_learns_beside_its_student(
    small_objective: Callable[..., SpotDistillation], small_batch: Callable[..., Batch]
) -> None:
    races = races_of(small_objective("at", "adaptive"), small_batch(0))
    assert races.opened["router"] == 4  # its beginning, which needs no route, comes first


def test_what_reads_a_branch_without_a_wait_is_found() -> None:
    x = torch.ones(3)
    with Races() as races:
        with races.branch("one", x) as wait:
            y = x + 1
        wait()
        z = y * 2
        assert races.found == []
        with races.branch("two"):
            z = z + 1
        z = z * 2
    assert races.found == ["aten.mul.Tensor in '' beside 'two'"]


def test_a_branch_that_reads_what_changes_beside_it_is_found() -> None:
    x = torch.ones(3)
    with Races() as races:
        with races.branch("one", x):
            y = x + 1
        with races.along("one"):
            y = y + x
        x.add_(1)
        races.join()
        x.add_(y)
    assert races.found == ["aten.add_.Tensor in '' beside 'one'"] * 2
