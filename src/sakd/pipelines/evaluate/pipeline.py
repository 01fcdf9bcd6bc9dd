"""Wiring of evaluation."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from sakd.networks.outside.names import slug
from sakd.pipelines.evaluate.nodes import measure_students, measure_teacher
from sakd.study.parameters import Parameters


def create_pipeline(parameters: Parameters) -> Pipeline:
    """Build a node for every teacher, and one for all students."""
    data = parameters.data.slug
    images = [f"{data}-{name}" for name in ("test", "development", "card", "cells")]
    networks = [slug(network) for network in parameters.grid.teachers()]
    weights = [f"{data}-{network}-teacher" for network in networks]
    teachers = [
        Node(
            measure_teacher,
            inputs=[*images, made, f"params:teachers.{network}", "params:study"],
            outputs=f"{data}-{network}-accuracy",
            name=f"evaluate-{data}-{network}",
        )
        for network, made in zip(networks, weights, strict=True)
    ]
    records = [f"{row.id}-records" for row in parameters.grid.rows(data)]
    students = Node(
        measure_students,
        inputs=[*images, "params:study", *weights, *records],
        outputs=[f"{data}-{name}" for name in ("evaluation", "history", "predictions")],
        name=f"evaluate-{data}-students",
    )
    return Pipeline([*teachers, students], tags=["evaluate"])
