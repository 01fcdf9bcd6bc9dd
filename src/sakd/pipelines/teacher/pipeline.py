"""Wiring of the teachers."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from sakd.networks.outside.names import slug
from sakd.pipelines.teacher.nodes import make_teacher
from sakd.study.parameters import Parameters


def create_pipeline(parameters: Parameters) -> Pipeline:
    """Build a node for every teacher."""
    data = parameters.data.slug
    nodes = [
        Node(
            make_teacher,
            inputs=[
                f"{data}-development",
                f"{data}-card",
                f"{data}-cells",
                f"params:teachers.{slug(network)}",
                "params:study",
            ],
            outputs=f"{data}-{slug(network)}-teacher",
            name=f"teacher-{data}-{slug(network)}",
        )
        for network in parameters.grid.teachers()
    ]
    return Pipeline(nodes, tags=["teacher"])
