"""The stages of ``dvc.yaml``: what each runs, reads and writes.

They are made from the same rows as the Kedro pipelines, so that both schedule the same work. The
folders of cells persist, so a stage that was cut off goes on where it was, and cells that an edit
does not change are not trained again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from sakd.networks.paths import members
from sakd.networks.variants import network_of, slug
from sakd.pipelines.naming import node_of
from sakd.project.code_files import DATA_CODE, EVALUATION_CODE, TRAINING_CODE, own_code
from sakd.reporting.tables.columns import VAL
from sakd.study.parameters import Parameters
from sakd.study.splits import splits_of

Stage = dict[str, Any]

PARAMETERS = "conf/{}/parameters.yml"
BASE = "base"
TEACHER_PARAMETERS = ["device", "threads", "teacher"]
STUDENT_PARAMETERS = ["device", "threads", "data", "grid", "student", "distillation", "routing"]
OPTIONAL = (
    "teacher_seed",
    "teacher_variants",
    "teacher_weights",
    "teacher_start",
    "teacher_renames",
    "teacher_statistics",
    "assistants",
    "student_weights",
    "student_renames",
    "student_lr",
    "systems",
)
"""Parameters that are listed where they are set."""
TABLES = (
    "evaluation.csv",
    "history.csv",
    "predictions.parquet",
    "routing.parquet",
    "sheets.parquet",
)
SEALED = tuple(path for name in TABLES for path in (name, f"{name}.sha256"))
"""These tables and their checksums."""

REPORTS = (
    "results.csv",
    "report.md",
    "report.html",
    "tables",
    "pictures",
    "learning_curves.json",
    "gate_rates.json",
    "gains.json",
)

PLOTTED = {"accuracy on val": VAL, "cross-entropy": "cross_entropy"}
"""Columns of the joined history that are plotted, by title."""


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
        self.splits = splits_of(parameters)
        teachers = [slug(name) for name in parameters.grid.teachers()]
        made = [f"{split.data}/teachers/{name}" for split in self.splits for name in teachers]
        self.primary, self.models, outputs, reporting = (
            f"{data_root}/{layer}"
            for layer in ("03_primary", "06_models", "07_model_output", "08_reporting")
        )
        self.images = [f"{self.primary}/{split.data}" for split in self.splits]
        self.cells = f"{self.models}/{self.data}/cells"
        self.weights = [f"{self.models}/{name}.safetensors" for name in made]
        self.cards = [f"{self.models}/{name}.json" for name in made]
        self.accuracies = [f"{outputs}/{name}.json" for name in made]
        finished, starts = parameters.teacher_weights, parameters.teacher_start
        every = map(parameters.teacher_of, parameters.grid.teachers())
        self.trains_teachers = any(teacher.trained for teacher in every)
        self.files = _paths(finished, starts, parameters.student_weights)
        alone = (name for name in parameters.grid.teachers() if len(members(name)) == 1)
        self.teacher_code = own_code(map(network_of, alone))
        self.code = own_code(parameters.grid.networks())
        given = [name for name in OPTIONAL if getattr(parameters, name)]
        self.teacher_parameters = [*TEACHER_PARAMETERS, *given]
        self.all_parameters = [*STUDENT_PARAMETERS, *TEACHER_PARAMETERS[2:], *given]
        self.output, self.reporting = f"{outputs}/{self.data}", f"{reporting}/{self.data}"
        self.tables = [f"{outputs}/{split.data}/{name}" for split in self.splits for name in SEALED]
        self.collected = [f"{outputs}/{split.data}/students.json" for split in self.splits]
        self.joined: list[str] = []
        if not parameters.data.shared:
            self.joined += [f"{self.output}/{name}" for name in SEALED[2:]]
            self.joined += [f"{reporting}/{split.data}/results.csv" for split in self.splits]

    def every(self) -> dict[str, Stage]:
        """Describe every stage, by name; without teachers there is none for them."""
        return {
            "data_preparation": self.data_preparation(),
            **({"teacher": self.teacher()} if self.weights else {}),
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
            "outs": self.images,
        }

    def teacher(self) -> Stage:
        """Describe the training of all teachers."""
        cells = [_persistent(f"{self.cells}/teachers")] if self.trains_teachers else []
        return {
            "cmd": f"{self.run} teacher",
            "deps": [*self.images, *self.files, *TRAINING_CODE, *self.teacher_code],
            "params": self._params(self.teacher_parameters),
            "outs": [*self.weights, *self.cards, *cells],
        }

    def students(self) -> Stage:
        """Describe a stage for every row, which trains its cells."""
        pair = "${item.teacher}-${item.student}-s${item.seed}"
        images = self.primary + "/${item.split}"
        teacher = self.models + "/${item.split}/teachers/${item.teacher}.safetensors"
        taught = [teacher] if self.weights else []
        stage = {
            "cmd": f"{self.run} students --nodes ${{item.node}}",
            "deps": [images, *taught, *self.files, *TRAINING_CODE, *self.code],
            "params": self._params(self.all_parameters),
            "outs": [
                f"{self.output}/records/{pair}.json",
                _persistent(f"{self.cells}/{self.data}-{pair}"),
            ],
        }
        items = {
            row.id: {
                "split": split.data,
                "teacher": slug(row.teacher),
                "student": slug(row.student),
                "seed": row.seed,
                "node": node_of(split, row),
            }
            for split in self.splits
            for row in split.parameters.grid.rows(self.data)
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
            "deps": [*self.images, *self.weights, *cells, *records, *self.files, *EVALUATION_CODE],
            "params": self._params(self.all_parameters),
            "outs": [
                *self.tables,
                *self.collected,
                *self.accuracies,
                _persistent(f"{self.cells}/evaluations"),
            ],
        }

    def report(self) -> Stage:
        """Describe the report: tables, figures and pages."""
        return {
            "cmd": f"{self.run} report",
            "deps": [*self.tables, *self.accuracies, "src/sakd/evidence", "src/sakd/reporting"],
            "params": self._params([*self.all_parameters, "report"]),
            "outs": [*(f"{self.reporting}/{name}" for name in REPORTS), *self.joined],
            "metrics": [f"{self.reporting}/summary.json"],
        }

    def plots(self) -> list[dict[str, Any]]:
        """Describe the plots of ``dvc plots show``: every epoch of every cell."""
        history = f"{self.output}/history.csv"
        return [
            {title: {"x": "epoch", "y": {history: column}, "template": "scatter"}}
            for title, column in PLOTTED.items()
        ]

    def _params(self, names: Collection[str]) -> list[Stage]:
        """List ``names`` by the file that sets them."""
        listed = {
            PARAMETERS.format(environment): [n for n in names if keys is None or n in keys]
            for environment, keys in self._keys.items()
        }
        return [{file: found} for file, found in listed.items() if found]


def _paths(*files: Mapping[str, Path]) -> list[str]:
    return sorted({str(path) for each in files for path in each.values()})


def _persistent(folder: str) -> Stage:
    return {folder: {"persist": True}}
