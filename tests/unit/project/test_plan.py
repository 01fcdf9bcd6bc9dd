"""``sakd plan`` names what a run with the same options would train, or why it would stop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kedro.framework.project import pipelines

from sakd.command.main import main
from sakd.distillers import DISTILLERS
from sakd.project.context import Context
from sakd.project.parameters import active_parameters
from sakd.project.plan import scope_of, whole_scope
from sakd.study.pace import Pace, Timer
from sakd.study.splits import splits_of
from sakd.study.trainings import Training

Capture = pytest.CaptureFixture[str]

ONE = "grid.pairs=resnet20/resnet8"


pytestmark = pytest.mark.usefixtures("bare")


@pytest.fixture(autouse=True)
def _slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a step of every training take an hour."""
    monkeypatch.setattr(Timer, "pace", lambda *_: Pace(3600.0))


def planned(capsys: Capture, *command: str) -> list[list[str]]:
    """The words of every line of a plan."""
    assert main(["plan", *command]) == 0, capsys.readouterr().err
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_the_default_study_is_planned_before_its_data_is_there(
    capsys: Capture, tmp_path: Path
) -> None:
    head, _, titles, teacher, brief, pair, briefly, _, summary = planned(capsys)
    assert head[:2] == ["digits", "on"]
    assert titles == ["cells", "done", "to", "do", "time"]
    assert teacher[:-2] == ["teacher", "resnet20", "5", "0", "5"]
    assert brief[:-2] == ["teacher", "resnet20@brief", "5", "0", "5"]
    assert pair[:-2] == ["resnet20/resnet8", "30", "0", "30"]
    assert briefly[:-2] == ["resnet20@brief/resnet8", "25", "0", "25"]
    said = "55 cells: 0 done, 55 to do, 10 teachers to train; about"
    assert " ".join(summary).startswith(said)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("command", "lines"),
    [
        (
            ["--env", "smoke", "--params", "grid.seeds=0+1"],
            ["teacher resnet20 1", f"resnet20/resnet8 {2 * (1 + 2 * len(DISTILLERS))}"],
        ),
        (
            ["--params", "grid.seeds=0+1+2,grid.distillers=kd,grid.policies=always"],
            [
                *("teacher resnet20 3", "teacher resnet20@brief 3"),
                *("resnet20/resnet8 6", "resnet20@brief/resnet8 3"),
            ],
        ),
        (
            ["--params", f"data.splits=shared,{ONE}", "--pipelines", "data_preparation,teacher"],
            ["teacher resnet20 1"],
        ),
        (["--pipelines", "data_preparation"], []),
        (
            ["--pipelines", "data_preparation,teacher"],
            ["teacher resnet20 5", "teacher resnet20@brief 5"],
        ),
        (["--tags", "data_preparation,teacher", "--params", ONE], ["teacher resnet20 5"]),
        (
            ["--env", "cifar100", "--params", "grid.pairs=vgg13/vgg8"],
            ["teacher vgg13 1", "vgg13/vgg8 33"],
        ),
    ],
)
def test_the_plan_is_that_of_the_run_with_these_options(
    capsys: Capture, command: list[str], lines: list[str]
) -> None:
    _, _, _, *parts, _, _ = planned(capsys, *command)
    assert [" ".join(part).partition(" 0 ")[0] for part in parts] == lines


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("--env smok", "unknown environment 'smok'; did you mean 'smoke'"),
        ("--params student.epoch=1", "unknown parameter 'student.epoch'; did you mean 'epochs'"),
        ("--params student.epochs=0", "epochs must be 1 or more, got 0"),
        ("--params threads=1,threads=2", "--params gives 'threads' twice"),
        ("--params student", "Item `student` must contain a key and a value"),
        ("--pipelines studnts", "unknown pipeline 'studnts'; did you mean 'students'"),
        ("--pipelines students", "digits_s0-resnet20-teacher, digits_s0-resnet20_brief-teacher"),
        ("--epochs 3", "No such option '--epochs'"),
        ("--paper --env smoke", "leave --env out"),
        ("--env own --params data.path=nowhere", "nowhere"),
        ("--env own --params data.path=images", "run --pipelines data_preparation with"),
    ],
)
def test_what_a_run_would_refuse_is_refused_in_one_line(
    capsys: Capture, tmp_path: Path, command: str, complaint: str
) -> None:
    (tmp_path / "images" / "ant").mkdir(parents=True)
    (tmp_path / "images" / "bee").mkdir()
    for name in ("ant/1", "ant/2", "ant/3", "bee/1", "bee/2", "bee/3"):
        (tmp_path / "images" / f"{name}.png").write_text("an image")
    assert main(["plan", *command.split()]) == 1
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.count("\n") == 1
    assert complaint in written.err


def test_a_damaged_file_is_named_in_one_line(capsys: Capture, tmp_path: Path) -> None:
    prepared = tmp_path / "data" / "03_primary" / "digits_s0"
    (prepared / "development").mkdir(parents=True)
    (prepared / "development" / "train.safetensors").touch()
    (prepared / "card.json").write_text("{")
    assert main(["plan"]) == 1
    written = capsys.readouterr()
    assert written.err.count("\n") == 1
    assert "digits_s0-card" in written.err


def test_the_grids_of_the_paper_are_planned_together(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed: list[Training] = []

    def pace(_timer: Timer, training: Training, _patience: float) -> Pace:
        timed.append(training)
        return Pace(1.0)

    monkeypatch.setattr(Timer, "pace", pace)
    assert main(["plan", "--paper", "--params", "grid.seeds=0,device=cpu"]) == 0
    written = capsys.readouterr().out
    assert "210 cells: 0 done, 210 to do, 6 teachers to train; about " in written
    assert "105 cells: 0 done, 105 to do, 4 teachers to train; about " in written
    assert written.splitlines()[-1].startswith("cifar100 and tiny_imagenet: about ")
    assert {training.recipe.epochs for training in timed} == {240}


class TestScope:
    def test_it_has_the_rows_and_teachers_of_the_nodes_that_run(
        self, load_context: Callable[..., Context]
    ) -> None:
        pairs = {"pairs": "resnet20/resnet8+vgg13/vgg8", "seeds": "0+1"}
        load_context(grid=pairs, data={"splits": "shared"})
        parameters, loaded = active_parameters(), list[str]()
        catalog: Any = SimpleNamespace(
            load=lambda name: loaded.append(name) or name, exists=lambda _: False
        )
        (split,) = splits_of(parameters)
        scope = scope_of(pipelines["distill"], catalog, split)
        assert [row.id for row in scope.rows] == [r.id for r in parameters.grid.rows("digits")]
        assert (scope.teachers, scope.made, loaded) == (["resnet20", "vgg13"], {}, [])
        whole = whole_scope(catalog, split)
        named = list(whole.rows), list(whole.teachers), whole.made
        assert named == (list(scope.rows), list(scope.teachers), scope.made)
        chosen = pipelines["distill"].only_nodes("students.vgg13-vgg8.seed_1")
        scope = scope_of(chosen, catalog, split)
        assert [row.id for row in scope.rows] == ["digits-vgg13-vgg8-s1"]
        assert (scope.teachers, scope.made) == ([], {"vgg13": "digits-vgg13-teacher"})
        assert scope_of(pipelines["evaluate"], catalog, split).rows == []
