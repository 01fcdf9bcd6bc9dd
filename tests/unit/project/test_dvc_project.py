"""A project that DVC tracks: the stages that a change concerns, metrics, plots, a remote, history.

Nothing is trained: small files stand for code and results.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import click
import pandas as pd
import pytest
import yaml
from dvc.repo import Repo
from kedro.framework.project import pipelines
from kedro.io import DataCatalog

from sakd.foundation.errors import UserError
from sakd.project.context import Context
from sakd.project.datasets import SealedTableDataset
from sakd.project.dvc import main
from sakd.project.in_step import StepHooks
from sakd.project.parameters import activate, loader_of, read_parameters

ROOT = Path(__file__).parents[3]
PARAMETERS = "conf/base/parameters.yml"
GRID = {
    "pairs": ["resnet20/resnet8"],
    "distillers": ["at"],
    "seeds": [0, 1],
    "policies": ["always"],
}
ROWS = ["students@digits-resnet20-resnet8-s0", "students@digits-resnet20-resnet8-s1"]
LAST = ["evaluate", "report"]

# What a package of DVC says of DVC.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")


def git(root: Path, *arguments: str) -> None:
    named = ("-c", "user.name=A", "-c", "user.email=a@b.c")
    subprocess.run(["git", "-C", str(root), *named, *arguments], check=True, capture_output=True)


def edit(root: Path, *path: str, to: object) -> None:
    """Set a parameter of ``conf/base``."""
    file = root / PARAMETERS
    content: Any = yaml.safe_load(file.read_text())
    inner = content
    for name in path[:-1]:
        inner = inner.setdefault(name, {})
    inner[path[-1]] = to
    file.write_text(yaml.safe_dump(content))


def fake(path: Path) -> None:
    """Write something at ``path``: a file, or for a name without an ending a folder."""
    (path.parent if path.suffix else path).mkdir(parents=True, exist_ok=True)
    (path if path.suffix else path / "part").write_text(path.name)


def changed(root: Path) -> list[str]:
    """The stages that ``dvc status`` lists."""
    with chdir(root), Repo(str(root)) as repo:
        return sorted(repo.status())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project all of whose stages DVC takes for done."""
    root = tmp_path_factory.mktemp("made") / "project"
    shutil.copytree(ROOT / "conf/base", root / "conf/base")
    for name in ("pyproject.toml", ".gitignore", ".dvc/config"):
        (root / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    edit(root, "grid", to=GRID)
    edit(root, "data", "splits", to="shared")
    edit(root, "teacher_variants", to={})
    git(root.parent, "init", "--quiet", str(root))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        main([])
    with chdir(root), Repo(str(root)) as repo:
        for stage in repo.index.stages:
            for file in [*stage.outs, *stage.deps]:
                if "param" not in type(file).__name__.lower():
                    fake(Path(file.fs_path))
        report = root / "data/08_reporting/digits"
        (report / "metrics/study.json").write_text(json.dumps({"cells_done": 4}))
        (report / "results.csv").write_text("cell\none\n")
        history = root / "data/07_model_output/digits/history.csv"
        history.write_text("cell,epoch,val_top1,cross_entropy\none,1,0.5,1.0\none,2,0.6,0.9\n")
        repo.commit(force=True)
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "first")
    return root


@pytest.fixture
def project(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of it, which is the working directory."""
    root = tmp_path / "project"
    shutil.copytree(made, root)
    monkeypatch.chdir(root)
    yield root
    activate(None)


@pytest.mark.parametrize(
    ("path", "value", "stages"),
    [
        ("report.margin", 1.0, ["report"]),
        ("corruptions", False, LAST),
        ("student.epochs", 3, [*ROWS, *LAST]),
        ("grid.policies", ["always", "anti"], [*ROWS, *LAST]),
        ("grid.seeds", [0, 1, 2], [*LAST, "students@digits-resnet20-resnet8-s2"]),
        ("grid.seeds", [0], LAST),
        ("teacher.epochs", 3, ["teacher", *ROWS, *LAST]),
        ("data.student_per_class", 5, ["data_preparation", *ROWS, *LAST]),
        ("threads", 2, ["teacher", *ROWS, *LAST]),
    ],
)
def test_a_changed_parameter_concerns_the_stages_that_depend_on_it(
    path: str, value: object, stages: list[str], project: Path
) -> None:
    assert changed(project) == []
    edit(project, *path.split("."), to=value)
    main([])  # which rows there are is written in the stages
    assert changed(project) == sorted(stages)


def test_changed_code_concerns_the_stages_that_run_it(project: Path) -> None:
    (project / "src/sakd/reporting/part").write_text("other")
    assert changed(project) == ["report"]
    (project / "src/sakd/systems/part").write_text("other")
    assert changed(project) == sorted(["teacher", *ROWS, *LAST])


def test_the_stages_are_checked_and_written_only_where_they_differ(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (project / "dvc.yaml").stat().st_mtime_ns
    main([])
    main(["--check"])
    assert (project / "dvc.yaml").stat().st_mtime_ns == before
    edit(project, "grid", "seeds", to=[0])
    with pytest.raises(UserError, match=r"^dvc.yaml does not follow .*base/.*with `sakd dvc`$"):
        main(["--check"])
    assert (project / "dvc.yaml").stat().st_mtime_ns == before
    main([])
    assert capsys.readouterr().out.endswith("dvc.yaml is written from the grid\n")
    main(["--check"])


def test_metrics_are_few_and_plots_have_every_epoch(project: Path) -> None:
    with Repo(str(project)) as repo:
        (shown,) = repo.metrics.show().values()
        assert shown["data"] == {
            "data/08_reporting/digits/metrics/study.json": {"data": {"cells_done": 4}}
        }
        plots = repo.plots.show()["workspace"]
    (drawn,) = plots["sources"]["data"].values()
    assert [line["val_top1"] for line in drawn["data"]] == ["0.5", "0.6"]
    titles = plots["definitions"]["data"]["dvc.yaml"]["data"]
    assert set(titles) == {"accuracy on val", "cross-entropy"}


def test_a_fresh_clone_that_pulls_has_nothing_to_do(project: Path, tmp_path: Path) -> None:
    remote, clone = tmp_path / "remote", tmp_path / "clone"
    settings = f"[core]\n    remote = here\n['remote \"here\"']\n    url = {remote}\n"
    (project / ".dvc/config.local").write_text(settings)
    with Repo(str(project)) as repo:
        assert repo.push() > 0
    git(tmp_path, "clone", "--quiet", str(project), str(clone))
    (clone / ".dvc/config.local").write_text(settings)
    for stage in ("src/sakd", "data/06_models/digits/cells"):
        assert not (clone / stage).is_symlink()
    with chdir(clone), Repo(str(clone)) as repo:
        repo.pull()
        assert repo.status() == {}
        assert repo.reproduce(dry=True) == []


def test_raw_data_that_is_added_makes_the_preparation_depend_on_it(project: Path) -> None:
    raw = project / "data/01_raw/mine"
    fake(raw)
    edit(project, "data", to={"name": "folder", "path": "data/01_raw/mine"})
    with Repo(str(project)) as repo:
        repo.add(str(raw))
        main([])
        for stage in repo.index.stages:
            for out in stage.outs:
                fake(Path(out.fs_path))
        repo.commit(force=True)
    assert changed(project) == []
    (raw / "part").write_text("other")
    assert changed(project) == ["data/01_raw/mine.dvc", "data_preparation"]
    with Repo(str(project)) as repo:
        repo.add(str(raw))
    assert changed(project) == ["data_preparation"]


def test_another_environment_has_stages_of_its_own_beside_those_of_the_base(
    project: Path, load_context: Any
) -> None:
    (project / "conf/tiny").mkdir()
    (project / "conf/tiny/globals.yml").write_text("data_root: data/tiny\n")
    (project / "conf/tiny/parameters.yml").write_text("student: {epochs: 3}\ngrid: {seeds: [5]}\n")
    main(["--env", "tiny"])
    with Repo(str(project)) as repo:
        made = [stage for stage in repo.index.stages if "tiny" in stage.addressing]
        for stage in made:
            for out in stage.outs:
                fake(Path(out.fs_path))
        repo.commit("conf/tiny/dvc.yaml:data_preparation", force=True)
    stages = {stage.addressing for stage in made}
    row = "students@digits-resnet20-resnet8-s5"
    own = ("data_preparation", "teacher", row, *LAST)
    assert stages == {f"conf/tiny/dvc.yaml:{name}" for name in own}
    left = stages - {"conf/tiny/dvc.yaml:data_preparation"}
    assert set(changed(project)) == left
    load_context(conf=project / "conf", env="tiny")
    run = {"project_path": str(project), "env": "tiny"}
    StepHooks().after_pipeline_run(run, pipelines["teacher"])
    assert set(changed(project)) == left - {"conf/tiny/dvc.yaml:teacher"}
    StepHooks().after_pipeline_run(run, pipelines["__default__"])
    assert changed(project) == []


def test_earlier_results_are_in_the_catalog_by_revision(project: Path) -> None:
    results = project / "data/08_reporting/digits/results.csv"
    SealedTableDataset(filepath=str(results)).save(pd.DataFrame({"cell": ["two"]}))
    with Repo(str(project)) as repo:
        repo.commit("report", force=True)
    git(project, "commit", "--quiet", "--all", "--message", "second")
    catalog = DataCatalog.from_config(loader_of(project, "base")["catalog"])
    found = [catalog.load(f"digits-results{of}") for of in ("", "@HEAD", "@HEAD~1")]
    assert [frame["cell"].item() for frame in found] == ["two", "two", "one"]
    assert all(isinstance(frame, pd.DataFrame) for frame in found)


def test_a_run_that_ended_well_is_recorded_stage_by_stage(project: Path, load_context: Any) -> None:
    load_context(conf=project / "conf")
    for name in ("evaluate", "students"):
        for node in pipelines[name].nodes:
            for file in (project / "data/07_model_output/digits").rglob("*.json"):
                file.write_text(node.name)
    chosen = {"project_path": str(project), "env": None}
    rows = sorted(pipelines["students"].nodes)
    StepHooks().after_pipeline_run(chosen, pipelines["students"].filter(node_names=[rows[0].name]))
    assert changed(project) == sorted([ROWS[1], *LAST])
    StepHooks().after_pipeline_run(chosen, pipelines["students"] + pipelines["evaluate"])
    assert changed(project) == ["report"]
    StepHooks().after_pipeline_run(chosen, pipelines["__default__"])
    assert changed(project) == []


@pytest.mark.parametrize("reason", ["other parameters", "another file", "within DVC", "no DVC"])
def test_other_runs_are_not_recorded(
    reason: str, project: Path, load_context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "data/08_reporting/digits/results.csv").write_text("cell\ntwo\n")
    load_context(conf=project / "conf")
    if reason == "other parameters":
        load_context(conf=project / "conf", student={"epochs": 7})
    elif reason == "another file":
        (project / "dvc.yaml").write_text((project / "dvc.yaml").read_text() + "# mine\n")
    elif reason == "within DVC":
        monkeypatch.setenv("DVC_STAGE", "report")
    else:
        (project / ".dvc").rename(project / "elsewhere")
    before = (project / "dvc.lock").read_text()
    run = {"project_path": str(project), "env": None}
    StepHooks().after_pipeline_run(run, pipelines["__default__"])
    assert (project / "dvc.lock").read_text() == before


def test_without_a_lock_file_the_run_is_offered(
    project: Path, load_context: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    load_context(conf=project / "conf")
    (project / "dvc.lock").unlink()
    run = {"project_path": str(project), "env": "base"}
    StepHooks().after_pipeline_run(run, pipelines["students"])
    assert capsys.readouterr().out == ""
    StepHooks().after_pipeline_run(run, pipelines["__default__"])
    assert "`dvc commit --force dvc.yaml` makes this run known to DVC" in capsys.readouterr().out


def test_a_stage_of_another_grid_stops_in_one_line(
    project: Path, monkeypatch: pytest.MonkeyPatch, load_context: Any
) -> None:
    context: Context = load_context(conf=project / "conf")
    monkeypatch.setattr(context, "project_path", project)
    monkeypatch.setenv("DVC_STAGE", ROWS[0])
    StepHooks().after_context_created(context)
    edit(project, "grid", "seeds", to=[0])
    with pytest.raises(click.ClickException, match=r"dvc.yaml does not follow .*with `sakd dvc`,"):
        StepHooks().after_context_created(context)
    monkeypatch.delenv("DVC_STAGE")
    StepHooks().after_context_created(context)


def test_parameters_of_the_project_are_those_of_the_stages(project: Path) -> None:
    """The fixture is a study, so the tests above are of one."""
    assert read_parameters(loader_of(project, "base"), project).grid.seeds == (0, 1)
