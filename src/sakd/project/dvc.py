"""The stages of ``dvc.yaml``, written by ``python -m sakd.project.dvc > dvc.yaml``.

They are made from the same rows as the Kedro pipelines, so that both schedule the same work. The
folders of cells persist, so a stage that was cut off goes on where it was, and cells that an edit
does not change are not trained again.

The stages run in one environment, ``base`` or the one that ``--env`` names, whatever KEDRO_ENV
and ``conf/local`` say: DVC knows of the files of that environment alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any

import click
import yaml
from kedro.framework.startup import bootstrap_project

from sakd.networks.code import network_files
from sakd.networks.outside.names import slug
from sakd.project.errors import told_in_one_line
from sakd.project.parameters import loader_of, project_folder, read_parameters
from sakd.study.parameters import Parameters

Stage = dict[str, Any]

PARAMETERS = "conf/{}/parameters.yml"
HEAD = "# Written by `make stages` from the grid in {files}; do not edit.\n"
BASE = "base"
DATA_CODE = ["src/sakd/data", "src/sakd/foundation"]
TRAINING_CODE = [
    *DATA_CODE,
    "src/sakd/distillers",
    "src/sakd/networks",
    "src/sakd/objectives",
    "src/sakd/routing",
    "src/sakd/study",
    "src/sakd/training",
    "src/sakd/weights",
]
EVALUATION_CODE = [
    *DATA_CODE,
    "src/sakd/measures",
    "src/sakd/networks",
    "src/sakd/study",
    "src/sakd/tasks",
    "src/sakd/weights",
]
TEACHER_PARAMETERS = ["device", "threads", "teacher"]
STUDENT_PARAMETERS = ["device", "threads", "data", "grid", "student", "distillation", "routing"]
OPTIONAL = (
    "teacher_seed",
    "teacher_weights",
    "teacher_start",
    "teacher_renames",
    "teacher_statistics",
    "student_weights",
    "student_renames",
    "student_lr",
)
"""Parameters that are listed where they are set."""
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

    def __init__(
        self,
        parameters: Parameters,
        environment: str = BASE,
        keys: Mapping[str, Collection[str]] | None = None,
        data_root: str = "data",
    ) -> None:
        """Name the files and parameters that the stages read and write.

        Args:
            parameters: The parameters of the study.
            environment: The environment in which the stages run.
            keys: The parameters that the file of each environment sets; None if that of
                ``environment`` sets them all.
            data_root: The folder for all data.
        """
        self.environment = environment
        self.run = f"kedro run --env {environment} --pipelines"
        self._keys = {environment: None} if keys is None else keys
        self.data = parameters.data.slug
        self.rows = parameters.grid.rows(self.data)
        teachers = [slug(name) for name in parameters.grid.teachers()]
        self.primary = f"{data_root}/03_primary/{self.data}"
        self.output = f"{data_root}/07_model_output/{self.data}"
        models = f"{data_root}/06_models/{self.data}"
        self.cells, self.teachers = f"{models}/cells", f"{models}/teachers"
        self.weights = [f"{self.teachers}/{name}.safetensors" for name in teachers]
        self.cards = [f"{self.teachers}/{name}.json" for name in teachers]
        self.accuracies = [f"{self.output}/teachers/{name}.json" for name in teachers]
        finished, starts = parameters.teacher_weights, parameters.teacher_start
        self.trains_teachers = len(teachers) > len(finished)
        self.files = _paths(finished, starts, parameters.student_weights)
        self.teacher_code = _own_code(parameters.grid.teachers())
        self.code = _own_code(parameters.grid.networks())
        given = [name for name in OPTIONAL if getattr(parameters, name)]
        self.teacher_parameters = [*TEACHER_PARAMETERS, *given]
        self.all_parameters = [*STUDENT_PARAMETERS, *TEACHER_PARAMETERS[2:], *given]
        tables = ("evaluation.csv", "history.csv", "predictions.parquet")
        self.tables = [f"{self.output}/{name}" for name in tables]
        self.reporting = f"{data_root}/08_reporting/{self.data}"

    def every(self) -> dict[str, Stage]:
        """Describe every stage, by name."""
        return {
            "data_preparation": self.data_preparation(),
            "teacher": self.teacher(),
            "students": self.students(),
            "evaluate": self.evaluate(),
            "report": self.report(),
        }

    def data_preparation(self) -> Stage:
        """Describe data preparation: raw images to splits."""
        return {
            "cmd": f"{self.run} data_preparation",
            "deps": DATA_CODE,
            "params": self._params(["data"]),
            "outs": [self.primary],
        }

    def teacher(self) -> Stage:
        """Describe the training of all teachers."""
        cells = [_persistent(f"{self.cells}/teachers")] if self.trains_teachers else []
        return {
            "cmd": f"{self.run} teacher",
            "deps": [self.primary, *self.files, *TRAINING_CODE, *self.teacher_code],
            "params": self._params(self.teacher_parameters),
            "outs": [*self.weights, *self.cards, *cells],
        }

    def students(self) -> Stage:
        """Describe a stage for every row, which trains its cells."""
        pair = "${item.teacher}-${item.student}-s${item.seed}"
        teacher = self.teachers + "/${item.teacher}.safetensors"
        stage = {
            "cmd": f"{self.run} students --nodes students-{self.data}-{pair}",
            "deps": [self.primary, teacher, *self.files, *TRAINING_CODE, *self.code],
            "params": self._params(self.all_parameters),
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
        """Describe the evaluation on the test split."""
        cells = [f"{self.cells}/{row.id}" for row in self.rows]
        records = [
            f"{self.output}/records/{slug(row.teacher)}-{slug(row.student)}-s{row.seed}.json"
            for row in self.rows
        ]
        return {
            "cmd": f"{self.run} evaluate",
            "deps": [self.primary, *self.weights, *cells, *records, *self.files, *EVALUATION_CODE],
            "params": self._params(self.all_parameters),
            "outs": [*self.tables, *self.accuracies, _persistent(f"{self.cells}/evaluations")],
        }

    def report(self) -> Stage:
        """Describe the report: tables, figures and pages."""
        return {
            "cmd": f"{self.run} report",
            "deps": [*self.tables, *self.accuracies, "src/sakd/evidence", "src/sakd/reporting"],
            "params": self._params([*self.all_parameters, "report"]),
            "outs": [f"{self.reporting}/{name}" for name in REPORTS],
            "metrics": [f"{self.reporting}/summary.json"],
        }

    def _params(self, names: Collection[str]) -> list[Stage]:
        """List ``names`` by the file that sets them."""
        listed = {
            PARAMETERS.format(environment): [n for n in names if keys is None or n in keys]
            for environment, keys in self._keys.items()
        }
        return [{file: found} for file, found in listed.items() if found]


def _own_code(networks: Iterable[str]) -> list[str]:
    """List the files of the project outside the library that make ``networks``."""
    here = Path.cwd()
    files = {file.resolve() for name in networks for file in network_files(name)}
    inside = [file.relative_to(here).as_posix() for file in files if file.is_relative_to(here)]
    return sorted(path for path in inside if not path.startswith(tuple(TRAINING_CODE)))


def _paths(*files: Mapping[str, Path]) -> list[str]:
    return sorted({str(path) for each in files for path in each.values()})


def _persistent(folder: str) -> Stage:
    return {folder: {"persist": True}}


def dvc_yaml(stages: Stages) -> str:
    """Write ``stages`` as the text of ``dvc.yaml``."""
    head = HEAD.format(files=PARAMETERS.format(stages.environment))
    return head + yaml.dump({"stages": stages.every()}, Dumper=_Plain, sort_keys=False, width=100)


class _Plain(yaml.SafeDumper):
    """Writes a list again where it occurs again, in place of a reference."""

    def ignore_aliases(self, data: object) -> bool:
        return True


@click.command()
@click.option("--env", default=BASE, show_default=True, help="The environment of the stages.")
def main(env: str) -> None:
    """Write the stages of the project in this folder to standard output."""
    root = project_folder()
    bootstrap_project(root)
    loader = loader_of(root, env)
    with told_in_one_line(), chdir(root):
        parameters = read_parameters(loader, root)
        keys = {name: _keys(name) for name in dict.fromkeys([BASE, env])}
        data_root = loader["globals"]["data_root"]
        stages = Stages(parameters, env, keys, data_root)
        click.echo(dvc_yaml(stages), nl=False)


def _keys(environment: str) -> set[str]:
    """Name the parameters that the file of ``environment`` sets."""
    file = Path(PARAMETERS.format(environment))
    return set(yaml.safe_load(file.read_text()) or {}) if file.exists() else set()


if __name__ == "__main__":
    main()
