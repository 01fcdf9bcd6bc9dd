"""The pipelines of the project."""

from __future__ import annotations

from kedro.pipeline import Pipeline

from sakd.pipelines import data_preparation, evaluate, report, students, teacher
from sakd.project.hooks import told_in_one_line
from sakd.project.parameters import active_parameters


def register_pipelines() -> dict[str, Pipeline]:
    """The five stages, and ``distill``, all of them chained, which is the default.

    Raises:
        ClickException: the parameters are wrong.
    """
    with told_in_one_line():
        parameters = active_parameters()
    stages = {
        "data_preparation": data_preparation.create_pipeline(parameters),
        "teacher": teacher.create_pipeline(parameters),
        "students": students.create_pipeline(parameters),
        "evaluate": evaluate.create_pipeline(parameters),
        "report": report.create_pipeline(parameters),
    }
    distill = Pipeline([node for stage in stages.values() for node in stage.nodes])
    return {**stages, "distill": distill, "__default__": distill}
