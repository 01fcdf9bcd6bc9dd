"""Parameters: read once and typed, of the environment that was asked for; one line when wrong."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from kedro.framework.project import pipelines

from sakd.distillers import DISTILLERS
from sakd.foundation.console import log_to_console
from sakd.pipeline_registry import register_pipelines
from sakd.project.context import Context
from sakd.project.parameters import active_parameters
from sakd.study.grid import Row
from sakd.study.parameters import Teacher
from sakd.systems import SYSTEMS

Load = Callable[..., Context]


@pytest.fixture
def conf(tmp_path: Path) -> Callable[..., Path]:
    """Write a folder of parameters and other files, and an empty environment called ``smoke``."""

    def write(parameters: str, **files: str) -> Path:
        for name in ("base", "smoke"):
            (tmp_path / "conf" / name).mkdir(parents=True)
        for name, text in {"parameters": parameters, **files}.items():
            (tmp_path / "conf" / "base" / f"{name}.yml").write_text(text)
        return tmp_path / "conf"

    return write


def test_nodes_find_typed_parameters_in_the_catalog(load_context: Load) -> None:
    grid = {"pairs": "resnet14/resnet8", "seeds": "0+1"}
    catalog = load_context(grid=grid, threads=2).catalog
    parameters = catalog.load("params:study")
    assert parameters == active_parameters()
    assert parameters.threads == 2
    assert catalog.load("params:data") == parameters.data
    assert isinstance(catalog.load("params:teachers.resnet14"), Teacher)
    row = catalog.load("params:rows.digits-resnet14-resnet8-s1")
    assert isinstance(row, Row)
    assert row.seed == 1


@pytest.mark.parametrize("env", ["base", "smoke", "cifar100"])
def test_the_environment_that_is_asked_for_is_the_one_shown(env: str, load_context: Load) -> None:
    catalog = load_context(env).catalog
    data = catalog.load("params:data")
    assert data.name == {"cifar100": "cifar100"}.get(env, "digits")
    first = data.name if data.shared else f"{data.name}_s0"
    assert f"{first}-card" in pipelines["__default__"].all_outputs()
    for pipeline in pipelines.values():
        missing = [name for name in pipeline.inputs() if name not in catalog]
        assert missing == []


def test_a_second_run_in_one_process_has_pipelines_of_its_own(load_context: Load) -> None:
    for seeds in ("0", "0+1"):
        load_context(grid={"seeds": seeds, "pairs": "resnet20/resnet8"})
        rows = pipelines["students"].nodes
        assert len(rows) == len(seeds.split("+"))


@pytest.mark.parametrize("below", [".", "src/sakd"])
def test_without_a_session_the_parameters_are_those_of_the_files(
    root: Path, below: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root / below)
    monkeypatch.setenv("KEDRO_ENV", "smoke")
    assert active_parameters().student.epochs == 4


@pytest.mark.parametrize("env", ["cifar10", "cifar100", "tiny_imagenet", "imagenet", "own"])
def test_weights_for_the_digits_are_not_those_of_other_images(env: str, load_context: Load) -> None:
    data = {"path": "."} if env == "own" else {}
    context = load_context(env, data=data, grid={"pairs": "resnet20/resnet8"})
    weights = context.params["distillation"].weights
    assert weights == {name: DISTILLERS[name].weight for name in weights}


@pytest.mark.parametrize(
    "env", ["cifar10", "cifar100", "tiny_imagenet", "imagenet", "own", "study_cifar100"]
)
def test_nor_are_the_settings_of_systems(env: str, load_context: Load) -> None:
    data = {"path": "."} if env == "own" else {}
    given = load_context(env, data=data, grid={"pairs": "resnet20/resnet8"}).params["systems"]
    for name in given.keys() - {"dafl"}:
        assert SYSTEMS[name].settings(**given[name]) == SYSTEMS[name].settings()
    assert {"ctkd", "frskd"} <= given.keys()
    weights = {"one_hot": 0.5, "balance": 20, "activation": 0.1}
    assert given.get("dafl") == (weights if env == "cifar100" else None)


@pytest.mark.parametrize("below", [".", "src/sakd"])
def test_relative_paths_start_from_the_folder_of_the_project(
    load_context: Load, root: Path, below: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root / below)
    weights = {"resnet20": "weights/teacher.pth"}
    given = load_context("cifar100", teacher_weights=weights, grid={"pairs": "resnet20/resnet8"})
    study = given.catalog.load("params:study")
    expected = root / "data/01_raw/cifar100", root / "weights/teacher.pth"
    assert (study.data.path.resolve(), study.teacher_weights["resnet20"].resolve()) == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("studnt: {}", "unknown parameter 'studnt'; did you mean 'student'"),
        ("grid: {pairs: [\n", r"parameters\.yml"),
        ("data: {path: '${oc.env:HOME}/pics'}", r"oc\.env.* --params.* credentials\.yml"),
        ("data: {path: '${globals:raw}'}", "raw.* not found.* --params"),
        ("data: {path: '${raw}'}", "'raw' not found.* --params"),
        ("data: {path: '${data.path}'}", r"data\.path.* --params"),
        ("data: {path: '${nowhere:raw}'}", "nowhere.* --params"),
        ("data: {path: '${raw'}", "raw.* --params"),
        ("data: {path: '${runtime_params:raw}'}", "raw.* not found.* --params"),
    ],
)
def test_wrong_parameters_are_reported_in_one_line(
    text: str, complaint: str, load_context: Load, conf: Callable[..., Path]
) -> None:
    with pytest.raises(click.ClickException, match=complaint) as caught:
        load_context(conf=conf(text))
    assert caught.value.exit_code != 0
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("file", ["catalog", "globals"])
def test_other_wrong_files_are_reported_in_one_line(
    file: str, load_context: Load, conf: Callable[..., Path]
) -> None:
    folder = conf("threads: 1", **{file: "root: ${oc.env:HOME}"})
    with pytest.raises(click.ClickException, match=rf"{file}, root: .*oc\.env") as caught:
        _ = load_context(conf=folder).catalog
    assert "\n" not in caught.value.message


def test_an_unknown_environment_is_reported_with_those_that_exist(
    load_context: Load, conf: Callable[..., Path]
) -> None:
    with pytest.raises(click.ClickException, match="'smok'; did you mean 'smoke'"):
        load_context("smok", conf=conf("threads: 1"))


def test_a_folder_without_conf_is_reported_with_what_to_do(
    load_context: Load, tmp_path: Path
) -> None:
    with pytest.raises(click.ClickException, match=r"nowhere.* --conf-source"):
        load_context(conf=tmp_path / "nowhere")


def archive(packed: Path) -> None:
    (packed.parent / "made" / "conf").mkdir(parents=True)
    base = str(packed).removesuffix(".tar.gz")
    shutil.make_archive(base, "gztar", packed.parent / "made", "conf")


def cut_off(packed: Path) -> None:
    archive(packed)
    packed.write_bytes(packed.read_bytes()[:50])


def text(packed: Path) -> None:
    packed.write_text("conf\n")


@pytest.mark.parametrize("make", [archive, cut_off, Path.touch, text])
def test_an_archive_of_conf_is_to_be_unpacked(
    make: Callable[[Path], None], load_context: Load, tmp_path: Path
) -> None:
    make(packed := tmp_path / "conf-sakd.tar.gz")
    with pytest.raises(click.ClickException, match=r"conf-sakd\.tar\.gz .*unpack"):
        load_context(conf=packed)


def test_a_path_in_the_home_folder_stays_there(load_context: Load) -> None:
    data = {"name": "folder", "path": "~/pictures", "test_fraction": 0.2}
    assert load_context(data=data).catalog.load("params:data").path == Path("~/pictures")


def test_wrong_files_without_a_session_are_reported_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(click.ClickException, match="conf"):
        register_pipelines()


def test_the_log_goes_to_the_console_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    log_to_console()
    logging.getLogger("sakd.study.train").info("%s: [bold]done[/bold] %s", "cell", "x" * 200)
    logging.getLogger("sakd.study.train").debug("not shown")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert lines[0].endswith(f"cell: [bold]done[/bold] {'x' * 200}")
