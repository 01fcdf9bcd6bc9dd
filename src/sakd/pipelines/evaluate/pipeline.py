"""Wiring of evaluation."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from sakd.networks.variants import slug
from sakd.pipelines.evaluate.nodes import measure_students, measure_teacher
from sakd.pipelines.evaluate.routing import measure_routing
from sakd.study.parameters import Parameters
from sakd.study.splits import StudySplit, splits_of


def create_pipeline(parameters: Parameters) -> Pipeline:
    """Build, for every split, a node for each teacher, for all students and for routing."""
    nodes = [node for split in splits_of(parameters) for node in _nodes(split)]
    return Pipeline(nodes, tags=["evaluate"])


def _nodes(split: StudySplit) -> list[Node]:
    data, grid = split.parameters.data.slug, split.parameters.grid
    images = [f"{split.data}-{name}" for name in ("test", "development", "card")]
    images.append(f"{data}-cells")
    networks = [slug(network) for network in grid.teachers()]
    weights = [f"{split.data}-{network}-teacher" for network in networks]
    teachers = [
        Node(
            measure_teacher,
            inputs=[*images, made, split.given(f"teachers.{network}"), split.given("study")],
            outputs=f"{split.data}-{network}-accuracy",
            name=f"evaluate-{split.data}-{network}",
        )
        for network, made in zip(networks, weights, strict=True)
    ]
    records = [f"{row.id}-records" for row in grid.rows(data)]
    students = Node(
        measure_students,
        inputs=[*images, split.given("study"), *weights, *records],
        outputs=[f"{split.data}-{name}" for name in ("evaluation", "history", "predictions")],
        name=f"evaluate-{split.data}-students",
    )
    routing = Node(
        measure_routing,
        inputs=[*images[1:], split.given("study"), *weights, *records],
        outputs=[f"{split.data}-{name}" for name in ("routing", "sheets")],
        name=f"evaluate-{split.data}-routing",
    )
    return [*teachers, students, routing]
