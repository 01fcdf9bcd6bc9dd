"""Around a run: checks before it, errors in one line, the table of results after it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pandas as pd
import pytest
import torch
from kedro.framework.hooks import _create_hook_manager
from kedro.framework.hooks.manager import _register_hooks_entry_points
from kedro.framework.project import pipelines
from kedro.io import DataCatalog, DatasetError, MemoryDataset
from kedro.pipeline import Node

from sakd import settings
from sakd.data import Splits
from sakd.foundation.errors import UserError
from sakd.project.context import Context
from sakd.project.hooks import RunHooks, announce
from sakd.study.plan import Line, Plan

STAGES = ["data_preparation", "teacher", "students", "evaluate", "report"]
Load = Callable[..., Context]


class Catalog(DataCatalog):
    """A catalog of parameters in which every dataset exists."""

    def exists(self, name: str) -> bool:
        return True


def before(pipeline: str, context: Context) -> None:
    """Check a pipeline before it runs, as if the stages before it had been."""
    catalog = context._get_catalog(catalog_class=Catalog)
    RunHooks().before_pipeline_run(pipelines[pipeline], catalog)


@contextmanager
def propagated() -> Iterator[None]:
    """Let pytest hear the log of the project, which the context shows on the console alone."""
    logger = logging.getLogger("sakd")
    logger.propagate = True
    yield
    logger.propagate = False


def test_every_stage_is_a_pipeline_and_all_of_them_are_the_default(load_context: Load) -> None:
    load_context(grid={"seeds": "0+1"})
    assert set(pipelines) == {*STAGES, "distill", "__default__"}
    assert pipelines["distill"] == pipelines["__default__"]
    nodes = {node.name for name in STAGES for node in pipelines[name].nodes}
    assert {node.name for node in pipelines["distill"].nodes} == nodes


def test_the_test_images_are_read_in_evaluation_and_nowhere_else(load_context: Load) -> None:
    load_context(grid={"seeds": "0+1"})
    for images in ("digits_s0-test", "digits_s1-test"):
        readers = [name for name in STAGES if images in pipelines[name].all_inputs()]
        assert readers == ["evaluate"]


def test_a_missing_gpu_stops_the_run_before_it_starts(
    load_context: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(click.ClickException, match=r"device 'cuda'.* device=cpu"):
        before("report", load_context(device="cuda"))


def test_a_missing_compiler_stops_the_run_before_it_starts(
    load_context: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "/no/compiler")
    with pytest.raises(click.ClickException, match=r"/no/compiler.* set compile to false"):
        before("report", load_context(student={"compile": True}))


def test_missing_data_stops_a_run_that_needs_it_and_no_other(
    load_context: Load, tmp_path: Path
) -> None:
    place = {"name": "cifar100", "source": "parquet", "path": str(tmp_path / "nowhere")}
    context = load_context(data=place)
    with pytest.raises(click.ClickException, match="nowhere") as caught:
        before("distill", context)
    assert "\n" not in caught.value.message
    before("report", context)


def test_a_missing_file_of_a_teacher_stops_a_run_that_needs_it_and_no_other(
    load_context: Load, tmp_path: Path
) -> None:
    weights = {"resnet20": str(tmp_path / "nowhere.pth")}
    context = load_context(teacher_weights=weights, data={"splits": "shared"})
    with pytest.raises(click.ClickException, match=r"nowhere\.pth for resnet20"):
        before("teacher", context)
    before("data_preparation", context)


def test_a_stage_stops_where_those_before_it_were_not_run(load_context: Load) -> None:
    context = load_context(data={"splits": "shared"}, grid={"pairs": "resnet20/resnet8"})
    catalog = DataCatalog({name: MemoryDataset(1) for name in ("digits-card", "digits-history")})
    for name, value in context.params.items():
        catalog[f"params:{name}"] = value
    missing = (
        "digits-evaluation, digits-predictions, digits-resnet20-accuracy, digits-routing, "
        "digits-sheets; run the stages before"
    )
    with pytest.raises(click.ClickException, match=missing):
        RunHooks().before_pipeline_run(pipelines["report"], catalog)


def test_the_number_of_threads_is_set(load_context: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", chosen.append)
    before("report", load_context("cifar100"))
    before("report", load_context(threads=3))
    assert chosen == [3]


class TestThePlan:
    @pytest.fixture
    def plans(self, monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
        """The plans that are left to make."""
        left = [Plan((), (Line("a/b", 3, 1, 60),))]
        monkeypatch.setattr("sakd.project.hooks.plan_run", lambda *_: left.pop())
        return left

    @staticmethod
    def run(context: Context, pipeline: str) -> None:
        hooks, catalog = RunHooks(), context._get_catalog(catalog_class=Catalog)
        hooks.before_pipeline_run(pipelines[pipeline], catalog)
        for node in pipelines[pipeline].nodes:
            hooks.before_node_run(node, catalog)

    @pytest.mark.parametrize("pipeline", ["distill", "teacher", "students"])
    def test_a_run_that_trains_says_once_what_there_is_to_do(
        self,
        load_context: Load,
        plans: list[Plan],
        caplog: pytest.LogCaptureFixture,
        pipeline: str,
    ) -> None:
        context = load_context(threads=None)
        with caplog.at_level(logging.INFO), propagated():
            self.run(context, pipeline)
        assert caplog.messages == ["3 cells: 1 done, 2 to do; about 60 s here"]
        assert plans == []

    @pytest.mark.parametrize("pipeline", ["data_preparation", "evaluate", "report"])
    def test_a_run_that_does_not_says_nothing(
        self, load_context: Load, plans: list[Plan], pipeline: str
    ) -> None:
        self.run(load_context(threads=None), pipeline)
        assert len(plans) == 1

    def test_an_error_is_left_to_the_node_that_cannot_go_on(
        self, load_context: Load, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[object] = []

        def stop(*given: object) -> Plan:
            asked.extend(given)
            raise UserError("no fit")

        monkeypatch.setattr("sakd.project.hooks.plan_run", stop)
        self.run(load_context(threads=None), "distill")
        assert asked


def test_an_error_in_a_node_that_the_user_can_mend_is_reported_in_one_line() -> None:
    node = Node(len, "a", "b", name="prepare-digits")
    with pytest.raises(click.ClickException, match="prepare-digits: too few images"):
        RunHooks().on_node_error(UserError("too few images"), node)
    RunHooks().on_node_error(RuntimeError("a bug"), node)


@pytest.mark.parametrize(
    "error", [OSError("[Errno 28] No space left"), DatasetError("cells:\n[Errno 28] No space left")]
)
def test_what_the_disk_refuses_is_reported_in_one_line(error: Exception) -> None:
    with pytest.raises(click.ClickException, match="No space left") as caught:
        RunHooks().on_pipeline_error(error)
    assert "\n" not in caught.value.message
    RunHooks().on_pipeline_error(RuntimeError("a bug"))


def test_the_table_is_printed_after_a_run_that_made_it_and_no_other(
    load_context: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_context(data={"splits": "shared"})
    shown: list[tuple[str, ...]] = []
    show: Any = lambda *tables, ending: shown.append((*tables, ending))  # noqa: E731
    monkeypatch.setattr("sakd.project.hooks.announce", show)
    monkeypatch.setattr("sakd.project.hooks.conclude", lambda _catalog: "the place")
    catalog: Any = SimpleNamespace(load=lambda name: name)
    monkeypatch.setattr("sakd.project.hooks.DataCard.from_json", lambda card: card)
    for name in ("students", "report", "distill"):
        RunHooks().after_pipeline_run(pipelines[name], catalog)
    parts = ("card", "results", "history", "predictions")
    assert shown == [(*(f"digits-{part}" for part in parts), "the place")] * 2


def test_the_place_of_the_report_follows_the_table(
    load_context: Load,
    splits: Splits,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    load_context()
    monkeypatch.setattr("sakd.project.hooks.console_table", lambda *_args, **_others: "the table")
    results = pd.DataFrame({"cell": ["one", "two"], "status": ["done", "failed"]})
    announce(splits.card, results, results, results)
    announce(splits.card, results[:1], results, results, ending="the place\n")
    assert capsys.readouterr().out == "\nthe table\n" * 2 + "\nthe place\n"


def test_no_hook_that_sends_usage_data_is_registered() -> None:
    def registered(disabled: tuple[str, ...]) -> set[str]:
        manager = _create_hook_manager()
        _register_hooks_entry_points(manager, disabled)
        return {type(plugin).__module__.partition(".")[0] for plugin in manager.get_plugins()}

    assert "kedro_telemetry" in registered(())
    assert "kedro_telemetry" not in registered(settings.DISABLE_HOOKS_FOR_PLUGINS)
