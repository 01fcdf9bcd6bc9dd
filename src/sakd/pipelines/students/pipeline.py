"""Wiring of the students."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from sakd.networks.variants import slug
from sakd.pipelines.naming import named_row
from sakd.pipelines.students.nodes import train_row
from sakd.study.parameters import Parameters
from sakd.study.splits import splits_of


def create_pipeline(parameters: Parameters) -> Pipeline:
    """Build a node for every row: the cells of one dataset, pair and seed."""
    data = parameters.data.slug
    nodes = [
        Node(
            train_row,
            inputs=[
                f"{split.data}-development",
                f"{split.data}-card",
                f"{data}-cells",
                split.given(f"rows.{row.id}"),
                split.given("study"),
                *([f"{split.data}-{slug(row.teacher)}-teacher"] if row.taught else []),
            ],
            outputs=f"{row.id}-records",
            **named_row(split, row),
            tags=[f"{slug(row.teacher)}-{slug(row.student)}", f"s{row.seed}"],
        )
        for split in splits_of(parameters)
        for row in split.parameters.grid.rows(data)
    ]
    return Pipeline(nodes, tags=["students"])
