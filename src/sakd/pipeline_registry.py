"""The pipelines of the project."""

from __future__ import annotations

from kedro.pipeline import Pipeline

from sakd.pipelines import data_preparation, evaluate, report, students, teacher
from sakd.project.errors import told_in_one_line
from sakd.project.parameters import active_parameters


def register_pipelines() -> dict[str, Pipeline]:
    """Build the five stages, and ``distill``, all of them chained, which is the default.

    Kedro's own `find_pipelines` calls ``create_pipeline()`` without arguments. Here the pipelines
    have a node for every teacher and row of the grid, so they are built from the parameters of
    the run, or of the files where there is no run.

    Raises:
        ClickException: The parameters are wrong.
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
    distill = Pipeline(list(stages.values()))
    return {**stages, "distill": distill, "__default__": distill}
