"""The stages of ``dvc.yaml``: ``python -m sakd.project.dvc > dvc.yaml``.

They are made from the same rows as the Kedro pipelines, so that both schedule the same work: a
stage per teacher and per row. The folders of cells persist, so a stage that was cut off goes on
where it was, and cells that an edit does not change are not trained again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
import yaml
from kedro.framework.startup import bootstrap_project

from sakd.networks.code import network_files
from sakd.networks.outside.names import slug
from sakd.project.hooks import told_in_one_line
from sakd.project.parameters import active_parameters
from sakd.study.parameters import Parameters

Stage = dict[str, Any]

HEAD = "# Written by `make stages` from the grid in conf/base/parameters.yml; do not edit.\n"
PARAMETERS = "conf/base/parameters.yml"
TRAINING_CODE = [
    f"src/sakd/{name}"
    for name in ("data", "distillers", "networks", "objectives", "routing", "training")
]
STUDENT_PARAMETERS = ["device", "threads", "data", "grid", "student", "distillation", "routing"]
OWN_RATES = "student_lr"
TEACHER_FILES = ("teacher_weights", "teacher_start", "teacher_renames", "teacher_statistics")
STUDENT_FILES = ("student_weights", "student_renames")
REPORTS = (
    "results.csv",
    "report.md",
    "report.html",
    "learning_curves.json",
    "gate_rates.json",
    "gains.json",
)


class Stages:
    """The stages of a study and the files that connect them."""

    def __init__(self, parameters: Parameters) -> None:
        """Name the files of ``parameters``."""
        self.data = parameters.data.slug
        self.rows = parameters.grid.rows(self.data)
        teachers = [slug(name) for name in parameters.grid.teachers()]
        self.primary = f"data/03_primary/{self.data}"
        models, self.output = f"data/06_models/{self.data}", f"data/07_model_output/{self.data}"
        self.cells, self.teachers = f"{models}/cells", f"{models}/teachers"
        self.weights = [f"{self.teachers}/{name}.safetensors" for name in teachers]
        self.cards = [f"{self.teachers}/{name}.json" for name in teachers]
        self.accuracies = [f"{self.output}/teachers/{name}.json" for name in teachers]
        finished, starts = parameters.teacher_weights, parameters.teacher_start
        self.trains_teachers = len(teachers) > len(finished)
        self.student_files = _paths(parameters.student_weights)
        self.files = _paths(finished, starts, parameters.student_weights)
        self.teacher_code = _own_code(parameters.grid.teachers())
        self.code = _own_code(parameters.grid.networks())
        given = [name for name in (*TEACHER_FILES, *STUDENT_FILES) if getattr(parameters, name)]
        rates = [OWN_RATES] if parameters.student_lr else []
        of_students = [name for name in given if name in STUDENT_FILES]
        self.teacher_parameters = ["device", "threads", "teacher", *given]
        self.student_parameters = [*STUDENT_PARAMETERS, *rates, *of_students]
        self.tables = [f"{self.output}/{name}.csv" for name in ("evaluation", "history")]
        self.reporting = f"data/08_reporting/{self.data}"

    def every(self) -> dict[str, Stage]:
        """Every stage, by name."""
        return {
            "data_preparation": self.data_preparation(),
            "teacher": self.teacher(),
            "students": self.students(),
            "evaluate": self.evaluate(),
            "report": self.report(),
        }

    def data_preparation(self) -> Stage:
        """Raw images to splits."""
        return {
            "cmd": "kedro run --pipelines data_preparation",
            "deps": ["src/sakd/data"],
            "params": [{PARAMETERS: ["data"]}],
            "outs": [self.primary],
        }

    def teacher(self) -> Stage:
        """Every teacher."""
        cells = [_persistent(f"{self.cells}/teachers")] if self.trains_teachers else []
        return {
            "cmd": "kedro run --pipelines teacher",
            "deps": [self.primary, *self.files, *TRAINING_CODE, *self.teacher_code],
            "params": [{PARAMETERS: self.teacher_parameters}],
            "outs": [*self.weights, *self.cards, *cells],
        }

    def students(self) -> Stage:
        """The cells of every row, a stage each."""
        pair = "${item.teacher}-${item.student}-s${item.seed}"
        teacher = self.teachers + "/${item.teacher}.safetensors"
        stage = {
            "cmd": f"kedro run --pipelines students --nodes students-{self.data}-{pair}",
            "deps": [self.primary, teacher, *self.student_files, *TRAINING_CODE, *self.code],
            "params": [{PARAMETERS: self.student_parameters}],
            "outs": [
                f"{self.output}/records/{pair}.json",
                _persistent(f"{self.cells}/{self.data}-{pair}"),
            ],
        }
        items = {
            row.id: {
                "teacher": slug(row.teacher),
                "student": slug(row.student),
                "seed": row.seed,
            }
            for row in self.rows
        }
        return {"foreach": items, "do": stage}

    def evaluate(self) -> Stage:
        """The test split."""
        cells = [f"{self.cells}/{row.id}" for row in self.rows]
        records = [
            f"{self.output}/records/{slug(row.teacher)}-{slug(row.student)}-s{row.seed}.json"
            for row in self.rows
        ]
        return {
            "cmd": "kedro run --pipelines evaluate",
            "deps": [self.primary, *self.weights, *cells, *records],
            "outs": [*self.tables, *self.accuracies, _persistent(f"{self.cells}/evaluations")],
        }

    def report(self) -> Stage:
        """Tables, figures and pages."""
        return {
            "cmd": "kedro run --pipelines report",
            "deps": [*self.tables, *self.accuracies, "src/sakd/reporting"],
            "outs": [f"{self.reporting}/{name}" for name in REPORTS],
            "metrics": [f"{self.reporting}/summary.json"],
        }


def _own_code(networks: Iterable[str]) -> list[str]:
    """The files of the project, beside the library's, that make ``networks``."""
    here = Path.cwd()
    files = {file.resolve() for name in networks for file in network_files(name)}
    inside = [file.relative_to(here).as_posix() for file in files if file.is_relative_to(here)]
    return sorted(path for path in inside if not path.startswith(tuple(TRAINING_CODE)))


def _paths(*files: Mapping[str, Path]) -> list[str]:
    return sorted({str(path) for each in files for path in each.values()})


def _persistent(folder: str) -> Stage:
    return {folder: {"persist": True}}


def dvc_yaml(parameters: Parameters) -> str:
    """The text of ``dvc.yaml``."""
    stages = {"stages": Stages(parameters).every()}
    return HEAD + yaml.safe_dump(stages, sort_keys=False, width=100)


@click.command()
def main() -> None:
    """Write the stages of the project in the working directory to standard output."""
    bootstrap_project(Path.cwd())
    with told_in_one_line():
        click.echo(dvc_yaml(active_parameters()), nl=False)


if __name__ == "__main__":
    main()
