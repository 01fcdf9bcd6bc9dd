"""Wiring of evaluation."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from sakd.networks.outside.names import slug
from sakd.pipelines.evaluate.nodes import measure_students, measure_teacher
from sakd.study.parameters import Parameters


def create_pipeline(parameters: Parameters) -> Pipeline:
    """A node per teacher, and one for all students."""
    data = parameters.data.slug
    teachers = [
        Node(
            measure_teacher,
            inputs=[
                f"{data}-test",
                f"{data}-card",
                f"{data}-cells",
                f"{data}-{slug(network)}-teacher",
                f"params:teachers.{slug(network)}",
                "parameters",
            ],
            outputs=f"{data}-{slug(network)}-accuracy",
            name=f"evaluate-{data}-{slug(network)}",
        )
        for network in parameters.grid.teachers()
    ]
    records = [f"{row.id}-records" for row in parameters.grid.rows(data)]
    students = Node(
        measure_students,
        inputs=[f"{data}-test", f"{data}-card", f"{data}-cells", "parameters", *records],
        outputs=[f"{data}-evaluation", f"{data}-history"],
        name=f"evaluate-{data}-students",
    )
    return Pipeline([*teachers, students], tags=["evaluate"])
