"""The order of trainings on a cluster, what fails and what is tried again, without a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from kedro.framework.hooks.manager import _NullPluginManager
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline

from sakd.foundation.errors import UserError
from sakd.foundation.locks import ClaimedError
from sakd.project.cluster import dispatch
from sakd.project.cluster.dispatch import Dispatch

ROWS = ("a", "b", "c")


class RayError(Exception):
    pass


class RayTaskError(RayError):
    def __init__(self, cause: Exception) -> None:
        super().__init__(cause)
        self.cause = cause


class Cluster:
    """A cluster that runs a task when its outputs are asked for; ``errors`` are raised first."""

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(self, **errors: list[Exception]) -> None:
        self.errors = errors
        self.started: list[str] = []

    def start(self, node: Node) -> Callable[[], dict[str, Any]]:
        self.started.append(node.name)

        def outputs() -> dict[str, Any]:
            if waiting := self.errors.get(node.name):
                raise waiting.pop(0)
            return dict.fromkeys(node.outputs, node.name)

        return outputs

    def wait(self, flying: Sequence[Any], timeout: float) -> tuple[Sequence[Any], Sequence[Any]]:
        return flying[:1], flying[1:]

    @staticmethod
    def get(made: Callable[[], Any]) -> Any:
        return made()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "PAUSE", 0.0)
    monkeypatch.setattr(dispatch, "POLL", 0.0)


@pytest.fixture
def catalog() -> DataCatalog:
    names = ("teacher", *(f"{name}-records" for name in ROWS))
    return DataCatalog({name: MemoryDataset() for name in names})


@pytest.fixture
def run(catalog: DataCatalog) -> Callable[[Cluster], None]:
    """Train a teacher and three rows on a cluster."""
    teacher = Node(lambda: 0, None, "teacher", name="teacher")
    rows = [Node(lambda _teacher: 0, "teacher", f"{n}-records", name=n) for n in ROWS]

    def go(cluster: Cluster) -> None:
        take = SimpleNamespace(remote=lambda: list)
        journal: Any = SimpleNamespace(take=take)
        hooks: Any = _NullPluginManager()
        made = Dispatch(cluster, cluster.start, journal, catalog, hooks, None)
        made.run(Pipeline([teacher, *rows]))

    return go


def test_rows_start_together_once_their_teacher_is_there(
    run: Callable[[Cluster], None], catalog: DataCatalog
) -> None:
    run(cluster := Cluster())
    assert cluster.started == ["teacher", *ROWS]
    assert [catalog.load(f"{name}-records") for name in ROWS] == list(ROWS)


def test_a_row_that_fails_leaves_the_others_alone(
    run: Callable[[Cluster], None], catalog: DataCatalog
) -> None:
    with pytest.raises(UserError, match="1 of 4 trainings failed: b: no such file"):
        run(Cluster(b=[RayTaskError(OSError("no such\nfile"))]))
    assert [catalog.exists(f"{name}-records") for name in ROWS] == [True, False, True]


def test_rows_without_their_teacher_are_not_started(run: Callable[[Cluster], None]) -> None:
    cluster = Cluster(teacher=[RayTaskError(UserError("diverged"))])
    with pytest.raises(UserError, match="1 of 4 trainings failed; 3 need them: teacher: diverged"):
        run(cluster)
    assert cluster.started == ["teacher"]


def test_a_row_that_another_run_trains_is_offered_again(run: Callable[[Cluster], None]) -> None:
    run(cluster := Cluster(a=[ClaimedError("taken"), ClaimedError("taken")]))
    assert cluster.started.count("a") == 3


def test_a_row_whose_process_is_killed_too_often_fails(run: Callable[[Cluster], None]) -> None:
    with pytest.raises(UserError, match=r"c: .*killed again and again.*memory"):
        run(Cluster(c=[RayError("worker died")]))
