"""Wiring of the students."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from sakd.networks.outside.names import slug
from sakd.pipelines.students.nodes import train_row
from sakd.study.parameters import Parameters


def create_pipeline(parameters: Parameters) -> Pipeline:
    """Build a node for every row: the cells of one dataset, pair and seed."""
    data = parameters.data.slug
    nodes = [
        Node(
            train_row,
            inputs=[
                f"{data}-development",
                f"{data}-card",
                f"{data}-{slug(row.teacher)}-teacher",
                f"{data}-cells",
                f"params:rows.{row.id}",
                "params:study",
            ],
            outputs=f"{row.id}-records",
            name=f"students-{row.id}",
            tags=[f"{slug(row.teacher)}-{slug(row.student)}", f"s{row.seed}"],
        )
        for row in parameters.grid.rows(data)
    ]
    return Pipeline(nodes, tags=["students"])
