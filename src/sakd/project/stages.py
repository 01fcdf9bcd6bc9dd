"""The stages of ``dvc.yaml``: what each runs, reads and writes.

They are made from the same rows as the Kedro pipelines, so that both schedule the same work. The
folders of cells persist, so a stage that was cut off goes on where it was, and cells that an edit
does not change are not trained again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sakd.networks.paths import members
from sakd.networks.variants import network_of, slug
from sakd.project.code_files import DATA_CODE, EVALUATION_CODE, TRAINING_CODE, own_code
from sakd.project.stage_parameters import (
    ALL,
    EVALUATED,
    Files,
    files_for,
    listed,
    of_students,
    of_teachers,
)
from sakd.project.stage_rows import Group, folders_of, groups_of
from sakd.reporting.tables.columns import VAL
from sakd.study.parameters import Parameters
from sakd.study.splits import splits_of

Stage = dict[str, Any]

BASE = "base"
TABLES = (
    "evaluation.csv",
    "history.csv",
    "predictions.parquet",
    "routing.parquet",
    "sheets.parquet",
)
SEALED = tuple(path for name in TABLES for path in (name, f"{name}.sha256"))
"""These tables and their checksums."""

RESULTS = ("results.csv", "results.csv.sha256")

REPORTS = (
    *RESULTS,
    "summary.json",
    "metrics",
    "report.md",
    "report.html",
    "tables",
    "pictures",
    "learning_curves.json",
    "gate_rates.json",
    "gains.json",
)

METRICS = "metrics/study.json"
"""The numbers of the whole study."""

PLOTTED = {"accuracy on val": VAL, "cross-entropy": "cross_entropy"}
"""Columns of the joined history that are plotted, by title."""


class Stages:
    """The stages of a study and the files that connect them."""

    def __init__(
        self,
        parameters: Parameters,
        environment: str = BASE,
        files: Files | None = None,
        data_root: str = "data",
    ) -> None:
        """Name the files that the stages read and write.

        Args:
            parameters: The parameters of the study.
            environment: The environment in which the stages run.
            files: What the files of parameters set; None if that of ``environment`` sets them all.
            data_root: The folder for all data.
        """
        self.parameters = parameters
        self.environment = environment
        self.run = f"kedro run --env {environment} --pipelines"
        self._files = files_for(parameters, environment) if files is None else files
        self.data, self.splits = parameters.data.slug, splits_of(parameters)
        self.groups = groups_of(parameters)
        self._place(data_root)
        self.raw = tracked(parameters.data.path)
        streamed = self.raw if parameters.data.streamed else []
        starts = _paths(parameters.teacher_weights, parameters.teacher_start)
        self.teacher_files = [*starts, *streamed]
        self.files = [*starts, *_paths(parameters.student_weights), *streamed]
        every = map(parameters.teacher_of, parameters.grid.teachers())
        self.trains_teachers = any(teacher.trained for teacher in every)
        alone = (name for name in parameters.grid.teachers() if len(members(name)) == 1)
        self.teacher_code = own_code(map(network_of, alone))
        self.code = own_code(parameters.grid.networks())

    def _place(self, data_root: str) -> None:
        """Name the files that connect the stages."""
        self.primary, self.models, outputs, reporting = (
            f"{data_root}/{layer}"
            for layer in ("03_primary", "06_models", "07_model_output", "08_reporting")
        )
        teachers = [slug(name) for name in self.parameters.grid.teachers()]
        made = [f"{split.data}/teachers/{name}" for split in self.splits for name in teachers]
        self.images = [f"{self.primary}/{split.data}" for split in self.splits]
        self.cells = f"{self.models}/{self.data}/cells"
        self.weights = [f"{self.models}/{name}.safetensors" for name in made]
        self.cards = [f"{self.models}/{name}.json" for name in made]
        self.accuracies = [f"{outputs}/{name}.json" for name in made]
        self.output, self.reporting = f"{outputs}/{self.data}", f"{reporting}/{self.data}"
        self.tables = [f"{outputs}/{split.data}/{name}" for split in self.splits for name in SEALED]
        self.collected = [f"{outputs}/{split.data}/students.json" for split in self.splits]
        self.joined: list[str] = []
        if not self.parameters.data.shared:
            self.joined += [f"{self.output}/{name}" for name in SEALED[2:]]
            self.joined += [
                f"{reporting}/{split.data}/{name}" for split in self.splits for name in RESULTS
            ]

    def every(self) -> dict[str, Stage]:
        """Describe every stage, by name; without teachers there is none for them."""
        return {
            "data_preparation": self.data_preparation(),
            **({"teacher": self.teacher()} if self.weights else {}),
            **{group.name: self.students(group) for group in self.groups},
            "evaluate": self.evaluate(),
            "report": self.report(),
        }

    def data_preparation(self) -> Stage:
        """Describe data preparation: raw images to splits."""
        return {
            "cmd": f"{self.run} data_preparation",
            "deps": [*self.raw, *DATA_CODE],
            "params": listed(["data"], self._files),
            "outs": self.images,
        }

    def teacher(self) -> Stage:
        """Describe the training of all teachers."""
        cells = [_persistent(f"{self.cells}/teachers")] if self.trains_teachers else []
        return {
            "cmd": f"{self.run} teacher",
            "deps": [*self.images, *self.teacher_files, *TRAINING_CODE, *self.teacher_code],
            "params": listed(of_teachers(self.parameters), self._files),
            "outs": [*self.weights, *self.cards, *cells],
        }

    def students(self, group: Group) -> Stage:
        """Describe a stage for every row of ``group``, which trains its cells."""
        pair = "${item.teacher}-${item.student}-s${item.seed}"
        images = self.primary + "/${item.split}"
        teacher = self.models + "/${item.split}/teachers/${item.teacher}.safetensors"
        taught = [teacher] if group.taught else []
        further = [f"${{item.further{number}}}" for number in range(group.further)]
        folders = [f"{self.data}-{pair}", *further]
        stage = {
            "cmd": f"{self.run} students --nodes ${{item.node}}",
            "deps": [images, *taught, *self.files, *TRAINING_CODE, *self.code],
            "params": listed(of_students(self.parameters), self._files),
            "outs": [
                f"{self.output}/records/{pair}.json",
                *(_persistent(f"{self.cells}/{folder}") for folder in folders),
            ],
        }
        return {"foreach": group.items, "do": stage}

    def evaluate(self) -> Stage:
        """Describe the evaluation on the test split."""
        cells = [f"{self.cells}/{folder}" for folder in folders_of(self.groups)]
        start = len(self.data) + 1
        records = [
            f"{self.output}/records/{row[start:]}.json"
            for group in self.groups
            for row in group.items
        ]
        return {
            "cmd": f"{self.run} evaluate",
            "deps": [*self.images, *self.weights, *cells, *records, *self.files, *EVALUATION_CODE],
            "params": listed(EVALUATED, self._files),
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
            "params": listed(ALL, self._files),
            "outs": [*(f"{self.reporting}/{name}" for name in REPORTS), *self.joined],
        }

    def metrics(self) -> list[str]:
        """Name the files whose numbers DVC compares."""
        return [f"{self.reporting}/{METRICS}"]

    def plots(self, above: str = "") -> list[dict[str, Any]]:
        """Describe the plots of ``dvc plots show``: every epoch of every cell.

        The folder of data is found from ``above``.
        """
        history = f"{above}{self.output}/history.csv"
        return [
            {title: {"x": "epoch", "y": {history: column}, "template": "scatter"}}
            for title, column in PLOTTED.items()
        ]


def tracked(raw: Path | None) -> list[str]:
    """Name the folder or file of raw data if DVC tracks it, by a file next to it."""
    if raw is None or raw.is_absolute() or not Path(f"{raw}.dvc").exists():
        return []
    return [raw.as_posix()]


def _paths(*files: Mapping[str, Path]) -> list[str]:
    return sorted({str(path) for each in files for path in each.values()})


def _persistent(folder: str) -> Stage:
    return {folder: {"persist": True}}
