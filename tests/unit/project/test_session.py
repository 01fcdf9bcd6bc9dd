"""A run that names what does not exist ends in one line, before anything is done."""

from __future__ import annotations

import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import click
import pytest
from kedro.framework.project import pipelines
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner, ThreadRunner

from sakd.project.session import Session


def show(value: object) -> str:
    return str(value)


def fail(_value: object) -> None:
    raise ValueError("a bug")


def leave(_value: object) -> None:
    sys.exit(0)


def leave_with_3(_value: object) -> None:
    sys.exit(3)


def lose_a_process(_value: object) -> None:
    raise BrokenProcessPool("A process in the process pool was terminated abruptly")


FIRST = Pipeline([Node(show, "params:threads", "shown", name="show", tags=["early"])])
SECOND = Pipeline([Node(len, "shown", "sized", name="measure", tags=["late"])])
THIRD = Pipeline([Node(len, "shown", "told", name="tell", namespace="early.birds")])
REGISTERED = {
    "first": FIRST,
    "second": SECOND,
    "broken": Pipeline([Node(fail, "params:threads", "nothing", name="fail")]),
    "leaving": Pipeline([Node(leave, "params:threads", "nothing", name="leave")]),
    "leaving_with_3": Pipeline([Node(leave_with_3, "params:threads", "nothing", name="leave")]),
    "torn": Pipeline([Node(lose_a_process, "params:threads", "nothing", name="lose")]),
    "third": FIRST + THIRD,
    "__default__": FIRST + SECOND,
}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, root: Path) -> Any:
    """Run one of the pipelines above in the project."""
    monkeypatch.setattr("sakd.pipeline_registry.register_pipelines", lambda: REGISTERED)

    def go(**chosen: Any) -> dict[str, Any]:
        pipelines.configure("sakd.pipeline_registry")
        with Session.create(root, save_on_close=False, env="base") as session:
            return session.run(**chosen)

    yield go
    pipelines.configure("sakd.pipeline_registry")


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"runner": SequentialRunner()},
        {"pipeline_names": [], "node_names": (), "tags": (), "namespaces": ()},
        {"pipeline_names": ["first", "second"], "node_names": ("show", "measure")},
        {"from_nodes": ["show"], "tags": ("late", "early"), "to_outputs": ["sized"]},
    ],
)
def test_what_exists_may_be_named(run: Any, chosen: dict[str, Any]) -> None:
    assert list(run(**chosen)) == ["sized"]


@pytest.mark.parametrize(
    ("chosen", "complaint"),
    [
        ({"pipeline_names": ["frist"]}, "unknown pipeline 'frist'; did you mean 'first'.*known: "),
        ({"node_names": ("measurd",)}, "unknown node 'measurd'; did you mean 'measure'.*known: "),
        ({"pipeline_names": ["second"], "to_nodes": ["show"]}, "'show'; known: measure$"),
        ({"tags": ("erly",)}, "unknown tag 'erly'; did you mean 'early'.*known: early, late$"),
        ({"tags": ("erly", "late")}, "unknown tag 'erly'"),
        ({"from_inputs": ["show"]}, "unknown dataset 'show'; did you mean 'shown'.*sized"),
        ({"tags": ("early",), "node_names": ("measure",)}, "no nodes after applying all"),
        ({"pipeline_names": ["third"], "namespaces": ("eraly",)}, "'eraly'; did you mean 'early'"),
        ({"runner": ThreadRunner()}, "could not be repeated; use SequentialRunner"),
    ],
)
def test_what_does_not_exist_is_reported_with_what_is_near(
    run: Any, chosen: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(click.ClickException, match=complaint) as caught:
        run(**chosen)
    assert "\n" not in caught.value.message


def test_an_error_of_a_node_keeps_its_traceback(run: Any) -> None:
    with pytest.raises(ValueError, match="a bug"):
        run(pipeline_names=["broken"])


def test_a_process_that_was_killed_is_one_line(run: Any) -> None:
    with pytest.raises(click.ClickException, match=r"killed from outside.*run again"):
        run(pipeline_names=["torn"])


def test_code_that_ends_python_does_not_end_a_run_well(run: Any) -> None:
    with pytest.raises(click.ClickException, match=r"sys\.exit"):
        run(pipeline_names=["leaving"])
    with pytest.raises(SystemExit, match="3"):
        run(pipeline_names=["leaving_with_3"])
