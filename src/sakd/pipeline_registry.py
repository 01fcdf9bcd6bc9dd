"""The pipelines of the project."""

from __future__ import annotations

from kedro.pipeline import Pipeline

from sakd.pipelines import data_preparation, evaluate, report, students, teacher
from sakd.project.hooks import told_in_one_line
from sakd.project.parameters import active_settings


def register_pipelines() -> dict[str, Pipeline]:
    """The five stages, and ``distill``, all of them chained, which is the default.

    Raises:
        ClickException: the settings are wrong.
    """
    with told_in_one_line():
        settings = active_settings()
    stages = {
        "data_preparation": data_preparation.create_pipeline(settings),
        "teacher": teacher.create_pipeline(settings),
        "students": students.create_pipeline(settings),
        "evaluate": evaluate.create_pipeline(settings),
        "report": report.create_pipeline(settings),
    }
    distill = Pipeline([node for stage in stages.values() for node in stage.nodes])
    return {**stages, "distill": distill, "__default__": distill}
