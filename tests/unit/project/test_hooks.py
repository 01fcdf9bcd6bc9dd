"""Hooks: settings reach the pipelines, and what the user can mend is told in one line."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
import torch
from kedro.config import OmegaConfigLoader
from kedro.framework.project import settings as project
from kedro.io import DataCatalog, DatasetError, MemoryDataset
from kedro.pipeline import Node, Pipeline

from sakd.foundation.console import log_to_console
from sakd.foundation.errors import UserError
from sakd.pipeline_registry import register_pipelines
from sakd.pipelines import data_preparation, report
from sakd.project import hooks
from sakd.project import parameters as settings_module
from sakd.project.hooks import ParameterHooks
from sakd.study.grid import Row
from sakd.study.parameters import Parameters, parse_parameters

EVERYTHING: Any = SimpleNamespace(exists=lambda _name: True)
STAGES = ["data_preparation", "teacher", "students", "evaluate", "report"]


@pytest.fixture(autouse=True)
def _put_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave the session's settings and the log as they were."""
    monkeypatch.setattr(settings_module, "_active", None)
    logger = logging.getLogger("sakd")
    before = logger.handlers, logger.propagate, logger.level
    yield
    logger.handlers, logger.propagate, logger.level = before


def context(parameters: dict[str, Any]) -> Any:
    """A context that knows parameters; to read its ``params`` would be an error."""
    return SimpleNamespace(config_loader={"parameters": parameters})


def activate(parameters: dict[str, Any]) -> Parameters:
    ParameterHooks().after_context_created(context(parameters))
    return settings_module.active_parameters()


def test_the_parameters_of_the_session_are_active() -> None:
    assert activate({"threads": 2}) == parse_parameters({"threads": 2})


def test_wrong_parameters_are_told_in_one_line() -> None:
    with pytest.raises(click.ClickException) as caught:
        ParameterHooks().after_context_created(context({"studnt": {}}))
    assert caught.value.exit_code != 0
    assert caught.value.message.startswith("unknown parameter 'studnt'; did you mean 'student'")
    assert "\n" not in caught.value.message


def test_nodes_find_typed_parameters_in_the_catalog() -> None:
    settings = activate({"grid": {"pairs": "resnet14/resnet8", "seeds": "0+1"}})
    catalog = DataCatalog()
    ParameterHooks().after_catalog_created(catalog)
    assert catalog.load("parameters") == settings
    assert catalog.load("params:data") == settings.data
    assert catalog.load("params:teachers.resnet14") == "resnet14"
    row = catalog.load("params:rows.digits-resnet14-resnet8-s1")
    assert isinstance(row, Row)
    assert row.seed == 1


def test_every_stage_is_a_pipeline_and_all_of_them_are_the_default() -> None:
    activate({"grid": {"seeds": "0+1"}})
    pipelines = register_pipelines()
    assert set(pipelines) == {*STAGES, "distill", "__default__"}
    assert pipelines["distill"] == pipelines["__default__"]
    nodes = {node.name for name in STAGES for node in pipelines[name].nodes}
    assert {node.name for node in pipelines["distill"].nodes} == nodes


def test_the_test_images_are_read_in_evaluation_and_nowhere_else() -> None:
    activate({"grid": {"seeds": "0+1"}})
    pipelines = register_pipelines()
    readers = [name for name in STAGES if "digits-test" in pipelines[name].all_inputs()]
    assert readers == ["evaluate"]


def test_a_missing_gpu_stops_the_run_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    activate({"device": "cuda"})
    with pytest.raises(click.ClickException, match="torch sees no GPU"):
        ParameterHooks().before_pipeline_run(Pipeline([]), DataCatalog())


def test_missing_data_stops_a_run_that_needs_it_and_no_other(tmp_path: Path) -> None:
    place = {"name": "cifar100", "source": "parquet", "path": str(tmp_path / "nowhere")}
    settings = activate({"device": "cpu", "data": place})
    with pytest.raises(click.ClickException, match="nowhere") as caught:
        ParameterHooks().before_pipeline_run(data_preparation.create_pipeline(settings), EVERYTHING)
    assert "\n" not in caught.value.message
    ParameterHooks().before_pipeline_run(report.create_pipeline(settings), EVERYTHING)


def test_a_stage_stops_where_those_before_it_were_not_run() -> None:
    settings = activate({"device": "cpu"})
    made = {"digits-evaluation": MemoryDataset([1]), "digits-history": MemoryDataset([1])}
    catalog = DataCatalog(made)
    ParameterHooks().after_catalog_created(catalog)
    told = "not there yet: digits-card, digits-resnet20-accuracy; run the stages before"
    with pytest.raises(click.ClickException, match=told):
        ParameterHooks().before_pipeline_run(report.create_pipeline(settings), catalog)


def test_the_number_of_threads_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", chosen.append)
    activate({"device": "cpu"})
    ParameterHooks().before_pipeline_run(Pipeline([]), DataCatalog())
    activate({"device": "cpu", "threads": 3})
    ParameterHooks().before_pipeline_run(Pipeline([]), DataCatalog())
    assert chosen == [3]


def test_an_error_in_a_node_that_the_user_can_mend_is_told_in_one_line() -> None:
    node = Node(len, "a", "b", name="prepare-digits")
    with pytest.raises(click.ClickException, match="prepare-digits: too few images"):
        ParameterHooks().on_node_error(UserError("too few images"), node)
    ParameterHooks().on_node_error(RuntimeError("a bug"), node)


def test_an_unknown_environment_is_told_with_those_there_are(tmp_path: Path) -> None:
    for name in ("base", "smoke"):
        (tmp_path / name).mkdir()
    loader = OmegaConfigLoader(str(tmp_path), base_env="base", env="smok")
    with pytest.raises(click.ClickException, match="unknown environment 'smok'; did you mean"):
        ParameterHooks().after_context_created(SimpleNamespace(config_loader=loader, env="smok"))


def test_parameters_that_are_no_yaml_are_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "parameters.yml").write_text("grid: {pairs: [\n")
    loader = OmegaConfigLoader(str(tmp_path), base_env="base", default_run_env="base")
    with pytest.raises(click.ClickException, match=r"parameters\.yml") as caught:
        ParameterHooks().after_context_created(SimpleNamespace(config_loader=loader, env=None))
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "error", [OSError("[Errno 28] No space left"), DatasetError("cells:\n[Errno 28] No space left")]
)
def test_what_the_disk_refuses_is_told_in_one_line(error: Exception) -> None:
    with pytest.raises(click.ClickException, match="No space left") as caught:
        ParameterHooks().on_pipeline_error(error)
    assert "\n" not in caught.value.message
    ParameterHooks().on_pipeline_error(RuntimeError("a bug"))


def test_wrong_files_without_a_session_are_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings_module, "_from_files", lambda: {"studnt": {}})
    with pytest.raises(click.ClickException, match="unknown parameter 'studnt'"):
        register_pipelines()


@pytest.mark.parametrize("below", [".", "src/sakd"])
def test_without_a_session_the_settings_are_those_of_the_files(
    root: Path, below: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = {"base_env": "base", "default_run_env": "local"}
    arguments |= {"merge_strategy": {"parameters": "soft"}}
    monkeypatch.setattr(type(project), "CONFIG_LOADER_ARGS", arguments, raising=False)
    monkeypatch.setattr(type(project), "CONF_SOURCE", "conf", raising=False)
    monkeypatch.chdir(root / below)
    monkeypatch.setenv("KEDRO_ENV", "smoke")
    assert settings_module.active_parameters().student.epochs == 1


def test_the_log_goes_to_the_console_line_by_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log_to_console()
    logging.getLogger("sakd.study.train").info("%s: [bold]done[/bold] %s", "cell", "x" * 200)
    logging.getLogger("sakd.study.train").debug("not shown")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert lines[0].endswith(f"cell: [bold]done[/bold] {'x' * 200}")


def test_the_hooks_are_those_that_kedro_is_told_of() -> None:
    from sakd import settings  # noqa: PLC0415 - as Kedro does

    assert [type(hook) for hook in settings.HOOKS] == [hooks.ParameterHooks]
