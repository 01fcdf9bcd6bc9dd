"""Wiring of evaluation."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from sakd.networks.variants import slug
from sakd.pipelines.evaluate.nodes import collect, measure_students, measure_teacher
from sakd.pipelines.evaluate.routing import measure_routing
from sakd.pipelines.naming import named, named_row
from sakd.study.parameters import Parameters
from sakd.study.splits import StudySplit, splits_of


def create_pipeline(parameters: Parameters) -> Pipeline:
    """Build, for every split, nodes for its teachers, its students and its routing."""
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
            **named(split, "evaluate", network),
        )
        for network, made in zip(networks, weights, strict=True)
    ]
    trained = f"{split.data}-students"
    students = Node(
        measure_students,
        inputs=[*images, split.given("study"), *weights, trained],
        outputs=[f"{split.data}-{name}" for name in ("evaluation", "history", "predictions")],
        **named(split, "evaluate", "students"),
    )
    routing = Node(
        measure_routing,
        inputs=[*images[1:], split.given("study"), *weights, trained],
        outputs=[f"{split.data}-{name}" for name in ("routing", "sheets")],
        **named(split, "evaluate", "routing"),
    )
    return [*teachers, *_collected(split, trained), students, routing]


def _collected(split: StudySplit, trained: str) -> list[Node]:
    """Collect the records of all rows, first those of each pair that has a module of its own."""
    students, records = named(split, "students", "collect"), dict[str | None, list[str]]()
    for row in split.parameters.grid.rows(split.parameters.data.slug):
        records.setdefault(named_row(split, row)["namespace"], []).append(f"{row.id}-records")
    found = records.pop(students["namespace"], [])
    pairs = [
        Node(collect, made, f"{module}-collected", name="collect", namespace=module)
        for module, made in records.items()
    ]
    found += [output for node in pairs for output in node.outputs]
    return [*pairs, Node(collect, found, trained, **students)]
