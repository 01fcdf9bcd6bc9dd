"""The stages of DVC schedule the same rows, files and parameters as the Kedro pipelines."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro.io import DataCatalog

from sakd.foundation.errors import UserError
from sakd.pipeline_registry import register_pipelines
from sakd.project.dvc import dvc_yaml, followed, is_ours, main
from sakd.project.parameters import activate, loader_of, read_parameters
from sakd.project.stage_parameters import ALL, UNCOUNTED, files_of, of_students, of_teachers
from sakd.project.stages import Stages
from sakd.study.parameters import Parameters
from sakd.study.parsing import parse_parameters
from sakd.study.splits import splits_of

ROOT = Path(__file__).parents[3]
GRIDS: dict[str, dict[str, Any]] = {
    "one split": {"pairs": "resnet20/resnet8+resnet20@brief/resnet8"},
    "a split for every seed": {"pairs": "resnet20/resnet8", "seeds": "0+2"},
    "a row of students alone": {
        "pairs": "resnet20/resnet8+resnet32/resnet8",
        "exclude": [{"teacher": "resnet32", "distiller": "kd"}],
    },
    "a sweep": {
        "pairs": "resnet20/resnet8",
        "distillers": "at",
        "sweep": {"distillation.weights.at": [9, 99]},
    },
    "a variant alone": {"pairs": "resnet20@brief/resnet8"},
    "a chain": {"pairs": "resnet32/resnet20/resnet8"},
    "several teachers": {"pairs": "resnet20&resnet32/resnet8", "distillers": [], "systems": "aekd"},
    "no teacher": {"pairs": "resnet20/resnet8", "distillers": [], "systems": "byot"},
    "peers of a variant": {"pairs": "resnet20@brief/resnet8", "distillers": [], "systems": "dml"},
}


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(ROOT)
    yield
    activate(None)


@pytest.fixture(params=GRIDS)
def parameters(request: pytest.FixtureRequest) -> Parameters:
    """A study, which is the active one."""
    splits = "per_seed" if "every seed" in request.param else "shared"
    named = {"grid": GRIDS[request.param], "teacher_variants": {"brief": {"epochs": 2}}}
    if "brief" not in str(named["grid"]):
        del named["teacher_variants"]
    made = parse_parameters(
        named | {"data": {"name": "digits", "splits": splits, "test_fraction": 0.2}}
    )
    activate(made)
    return made


def plain_stages(parameters: Parameters) -> dict[str, dict[str, Any]]:
    """Every stage by its name, those of rows each with its own files."""
    found: dict[str, dict[str, Any]] = {}
    for name, stage in yaml.safe_load(dvc_yaml(Stages(parameters)))["stages"].items():
        for row, item in stage.get("foreach", {}).items():
            text = yaml.safe_dump(stage["do"])
            for key, value in item.items():
                text = text.replace("${item." + key + "}", str(value))
            found[f"{name}@{row}"] = yaml.safe_load(text)
        if "foreach" not in stage:
            found[name] = stage
    return found


def outs(stage: dict[str, Any]) -> list[str]:
    """The paths that a stage writes."""
    return [path for out in stage["outs"] for path in (out if isinstance(out, dict) else [out])]


def within(path: str, places: list[str]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)


@pytest.mark.parametrize("below", [".", "src/sakd"])
def test_the_committed_file_is_what_the_grid_gives(
    below: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT / below)
    monkeypatch.setenv("KEDRO_ENV", "smoke")
    main(["--check"])
    assert capsys.readouterr().out == "dvc.yaml follows the grid\n"


def test_a_file_that_is_no_text_does_not_follow_the_grid(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_bytes(b"\xff\xfe")
    assert not followed(tmp_path, "base", "stages: {}\n")
    assert not is_ours(tmp_path, "base")


def test_stages_of_another_environment_run_in_it_and_depend_on_its_files() -> None:
    parameters = read_parameters(loader_of(ROOT, "smoke"), ROOT)
    made = Stages(parameters, "smoke", files_of(ROOT, "base", "smoke"), "data/smoke")
    content = yaml.safe_load(dvc_yaml(made))
    stages = content["stages"]
    stages["students"] = stages["students"]["do"]
    for stage in stages.values():
        assert "kedro run --env smoke --pipelines" in stage["cmd"]
        assert all(out.startswith("data/smoke/") for out in outs(stage))
        assert stage["wdir"] == "../.."  # of conf/smoke
    assert content["metrics"] == ["../../data/smoke/08_reporting/digits/metrics/study.json"]
    files = {file: keys for part in stages["teacher"]["params"] for file, keys in part.items()}
    assert files["conf/smoke/parameters.yml"] == ["device", "teacher"]
    base = ["device", "threads", "teacher", "teacher_variants"]
    assert files["conf/base/parameters.yml"] == base


def test_globals_are_parameters_of_the_stages_that_refer_to_them() -> None:
    parameters = read_parameters(loader_of(ROOT, "cifar100"), ROOT)
    stages = Stages(parameters, "cifar100", files_of(ROOT, "base", "cifar100")).every()
    named = {"conf/base/globals.yml": ["protocol"]}
    assert named in stages["teacher"]["params"]
    assert named in stages["students"]["do"]["params"]
    assert named not in stages["data_preparation"]["params"]


def test_an_unknown_environment_is_reported_in_one_line() -> None:
    with pytest.raises(UserError, match=r"^unknown environment 'smok'; did you mean 'smoke'"):
        main(["--env", "smok"])


def test_every_command_names_a_pipeline_and_every_row_a_node(parameters: Parameters) -> None:
    pipelines = register_pipelines()
    nodes = set()
    for name, stage in plain_stages(parameters).items():
        words = stage["cmd"].split()
        assert words[:5] == ["kedro", "run", "--env", "base", "--pipelines"]
        assert words[5] in pipelines
        assert name.startswith(words[5])
        nodes |= set(words[7:])
    assert nodes == {node.name for node in pipelines["students"].nodes}


def test_no_two_stages_write_the_same_file(parameters: Parameters) -> None:
    written = [path for stage in plain_stages(parameters).values() for path in outs(stage)]
    assert len(written) == len(set(written))
    assert not [(a, b) for a, b in itertools.permutations(written, 2) if within(b, [a])]


def test_every_file_of_a_node_is_of_its_stage(parameters: Parameters) -> None:
    catalog = DataCatalog.from_config(loader_of(ROOT, "base")["catalog"])
    stages, pipelines = plain_stages(parameters), register_pipelines()
    written = [path for stage in stages.values() for path in outs(stage)]
    for name, stage in stages.items():
        words = stage["cmd"].split()
        pipeline = pipelines[words[5]].filter(node_names=words[7:] or None)
        read = [dep for dep in stage["deps"] if dep.startswith("data/")]
        assert all(within(dep, written) for dep in read), name
        for dataset in pipeline.inputs() | pipeline.all_outputs():
            if dataset.startswith("params:") or dataset.endswith("-splits"):
                continue
            if (found := catalog.get(dataset)) is None:
                assert dataset not in pipeline.inputs()  # it stays in memory
                continue
            path = str(getattr(found, "filepath", None) or found._filepath)
            given = Path(path).resolve().relative_to(ROOT).as_posix()
            if dataset in pipeline.all_outputs():
                assert within(given, outs(stage)), (name, dataset)
            elif not dataset.endswith("-cells") and "card" not in dataset:
                assert within(given, [*read, *outs(stage)]), (name, dataset)


def test_every_cell_is_kept_where_a_stage_writes_it(parameters: Parameters) -> None:
    stages = plain_stages(parameters)
    rows = {name.partition("@")[2]: stage for name, stage in stages.items() if "@" in name}
    written = [path for stage in rows.values() for path in outs(stage)]
    for split in splits_of(parameters):
        for row in split.parameters.grid.rows("digits"):
            for cell in row.cells:
                folder = f"data/06_models/digits/cells/{cell.kept.row}"
                assert folder in written
                assert folder in stages["evaluate"]["deps"]
                if cell.taught:
                    assert {folder: {"persist": True}} in rows[row.id]["outs"]


def test_a_row_depends_on_its_teacher_only_if_it_has_one(parameters: Parameters) -> None:
    for split in splits_of(parameters):
        for row in split.parameters.grid.rows("digits"):
            stages = plain_stages(parameters)
            (stage,) = (stage for name, stage in stages.items() if name.endswith(f"@{row.id}"))
            assert row.taught == any("/teachers/" in dep for dep in stage["deps"])


def test_every_parameter_on_which_a_result_depends_is_one_of_a_stage() -> None:
    assert set(ALL) | UNCOUNTED == {field.name for field in fields(Parameters)}
    row = {name.partition(".")[0] for name in of_students(Parameters())}
    assert set(ALL) - row == {"corruptions", "report"}
    assert {"grid.pairs", "grid.seeds"}.isdisjoint(of_students(Parameters()))


def test_teachers_that_are_taught_depend_on_how() -> None:
    taught = parse_parameters({"grid": {"pairs": "resnet32/resnet20/resnet8"}})
    assert set(of_teachers(taught)) - set(of_teachers(Parameters())) == {
        "assistants",
        "distillation",
        "systems",
    }


def test_learning_rates_of_students_are_parameters_of_their_stages() -> None:
    stage = plain_stages(replace(Parameters(), student_lr={"resnet8": 0.01}))
    (given,) = stage["students@digits-resnet20-resnet8-s0"]["params"][0].values()
    assert given == ["student_lr"]


def test_raw_data_is_a_dependency_where_dvc_tracks_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    data = {"name": "folder", "path": "mine", "streamed": True}

    def reading() -> list[str]:
        named = plain_stages(parse_parameters({"data": data}))
        return [name for name, stage in named.items() if "mine" in stage["deps"]]

    assert reading() == []
    (tmp_path / "mine.dvc").touch()
    first, teacher, row, last = reading()
    assert (first, teacher, last) == ("data_preparation", "teacher", "evaluate")
    assert row.startswith("students@folder_mine")
    data["streamed"] = False
    assert reading() == [first]
