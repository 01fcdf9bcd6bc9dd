"""A run puts its command where the report finds it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from kedro.framework.project import pipelines

from sakd.project.context import Context
from sakd.project.origin import ORIGIN, OriginHooks, command_of
from sakd.project.parameters import environment_of
from sakd.reporting import Origin

Load = Callable[..., Context]


@pytest.mark.parametrize(
    ("chosen", "command"),
    [
        ({"env": None, "pipeline_names": None, "runtime_params": None}, "kedro run"),
        (
            {
                "env": "smoke",
                "runner": "<a.SequentialRunner object at 0x7f>",
            },
            "kedro run --env smoke",
        ),
        (
            {"pipeline_names": ["evaluate", "report"], "node_names": ("report.write",)},
            "kedro run --pipelines evaluate,report --nodes report.write",
        ),
        (
            {"runtime_params": {"student": {"epochs": 2}, "grid": {"seeds": [0, 1]}}},
            "kedro run --params student.epochs=2,grid.seeds=0+1",
        ),
        (
            {"runner": "kedro.runner.ParallelRunner", "runtime_params": {"data": {"path": "a b"}}},
            "kedro run --runner ParallelRunner --params 'data.path=a b'",
        ),
    ],
)
def test_a_command_asks_for_what_the_run_was_asked_for(
    chosen: dict[str, Any], command: str
) -> None:
    assert command_of(chosen) == command


def origin_of(context: Context, pipeline: str) -> Any:
    hooks, catalog = OriginHooks(), context._get_catalog()
    hooks.after_context_created(context)
    asked = {"env": context.env, "project_path": str(context.project_path)}
    hooks.before_pipeline_run(asked, pipelines[pipeline], catalog)
    return catalog.load(ORIGIN)


def test_the_report_gets_command_environment_and_the_settings_of_base(
    load_context: Load, caplog: pytest.LogCaptureFixture
) -> None:
    origin = origin_of(load_context("smoke"), "report")
    assert (origin.command, origin.environment) == ("kedro run --env smoke", "smoke")
    assert origin.base["student"]["epochs"] == 20
    assert origin.place == "../../../.."  # from data/smoke/08_reporting/digits
    assert not [line for line in caplog.messages if "Replacing" in line]


@pytest.mark.parametrize(
    ("named", "environment"),
    [(None, "base"), ("local", "base"), ("base", "base"), ("cifar100", "cifar100")],
)
def test_a_run_that_names_no_environment_is_of_the_base(
    named: str | None, environment: str
) -> None:
    assert environment_of(named) == environment


def test_other_pipelines_get_nothing(load_context: Load) -> None:
    assert origin_of(load_context("smoke"), "students") == Origin()


def test_base_that_is_no_study_by_itself_is_not_known(load_context: Load, tmp_path: Any) -> None:
    context = load_context("smoke")
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "parameters.yml").write_text("no_such: 1\n")
    hooks, catalog = OriginHooks(), context._get_catalog()
    loader: Any = SimpleNamespace(conf_source=str(tmp_path))
    hooks.after_context_created(SimpleNamespace(config_loader=loader))  # type: ignore[arg-type]
    asked = {"env": "smoke", "project_path": str(context.project_path)}
    hooks.before_pipeline_run(asked, pipelines["report"], catalog)
    assert catalog.load(ORIGIN).base == {}
