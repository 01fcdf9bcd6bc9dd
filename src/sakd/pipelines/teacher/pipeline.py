"""Wiring of the teachers."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from sakd.networks.paths import needed
from sakd.networks.variants import slug
from sakd.pipelines.naming import named
from sakd.pipelines.teacher.nodes import make_teacher
from sakd.study.parameters import Parameters
from sakd.study.splits import splits_of


def create_pipeline(parameters: Parameters) -> Pipeline:
    """Build a node for every teacher of every split, after those that it needs."""
    cells = f"{parameters.data.slug}-cells"
    nodes = [
        Node(
            make_teacher,
            inputs=[
                f"{split.data}-development",
                f"{split.data}-card",
                cells,
                split.given(f"teachers.{slug(network)}"),
                split.given("study"),
                *(f"{split.data}-{slug(other)}-teacher" for other in needed(network)),
            ],
            outputs=f"{split.data}-{slug(network)}-teacher",
            **named(split, "teacher", slug(network)),
        )
        for split in splits_of(parameters)
        for network in parameters.grid.teachers()
    ]
    return Pipeline(nodes, tags=["teacher"])
